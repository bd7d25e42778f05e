"""A policy file together with those it extends: what holds for which repository."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import UNSET, Struct

from aws_ecr_gc.plan import Action
from aws_ecr_gc.policy.rules import Policy, Signatures
from aws_ecr_gc.policyfile import values
from aws_ecr_gc.policyfile.selection import Selector, Tags
from aws_ecr_gc.policyfile.shape import DocumentPart, PolicyPart, RepositoriesPart


class Document(Struct, frozen=True):
    """One file: where it is, its bytes, and what it says."""

    path: Path
    content: bytes
    part: DocumentPart


class _Layer:
    """A document with its policies' selectors."""

    def __init__(self, document: Document) -> None:
        self.name = str(document.path)
        self.part = document.part
        self.policies: Sequence[PolicyPart] = values.stated(document.part.policies, [])
        self.selectors = [Selector(values.stated(each.repositories, RepositoriesPart())) for each in self.policies]

    def first_for(self, repository: str, tags: Tags) -> int | None:
        """Which of the policies is the first whose selector fits."""
        fitting = (at for at, each in enumerate(self.selectors) if each.takes_tagged(repository, tags))
        return next(fitting, None)

    def may_need_tags(self, repository: str) -> bool:
        """Whether a policy asks for tags before one takes the repository without."""
        taking = (each.needs_tags for each in self.selectors if each.takes(repository))
        return next(taking, False)


class PolicyFile:
    """All documents of the chain: the file's own first, then what it extends, and so on."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.files = tuple(document.path for document in documents)
        self.sha256 = _hash(document.content for document in documents)
        self.in_use = values.in_use(
            [(document.path.parent, document.part.in_use) for document in documents if document.part.in_use]
        )
        """What is looked for that runs an image, for all repositories; None if no document asks."""
        self.targets = values.targets(document.part.targets for document in documents if document.part.targets)
        """Where repositories are looked for, as far as any document says."""
        self._layers = [_Layer(document) for document in documents]
        self._made = cache(self._policy)

    @property
    def counts(self) -> tuple[int, int]:
        """How many policies there are, and how many rules."""
        policies = [policy for layer in self._layers for policy in layer.policies]
        return len(policies), sum(len(policy.rules) for policy in policies)

    @property
    def single(self) -> Policy | None:
        """The policy, where the documents have one in all, whichever repositories it is for."""
        if self.counts[0] != 1:
            return None
        return self._made(tuple(0 if layer.policies else None for layer in self._layers))

    @property
    def actions(self) -> set[Action]:
        """All that some policy does to what does not stay."""
        parts = [policy for layer in self._layers for policy in layer.policies]
        return {Action(values.stated(part.action, "delete")) for part in parts}

    @property
    def by_pull_time(self) -> list[str]:
        """The rules that go by pull times, each with where it stands."""
        return [
            f"rule {rule.name} ({layer.name}: policies[{at}])"
            for layer in self._layers
            for at, policy in enumerate(layer.policies)
            for rule in policy.rules
            if rule.keep != "none" and rule.keep.pulled_within is not UNSET
        ]

    @property
    def uses_resource_tags(self) -> bool:
        """Whether any policy asks for resource tags."""
        return any(selector.needs_tags for layer in self._layers for selector in layer.selectors)

    def may_need_tags(self, repository: str) -> bool:
        """Whether `policy_for` may call for the resource tags of this repository."""
        return any(layer.may_need_tags(repository) for layer in self._layers)

    def policy_for(self, repository: str, tags: Tags) -> Policy | None:
        """What holds for a repository, or None if no policy is for it.

        The first policy of the chain whose selector fits says what goes. Protection is united and guards are the
        strictest over it, the first that fits in each other document, and what the documents say for all.
        `tags` is called at most once, and only if a policy whose globs fit asks for resource tags. Equal outcomes are
        the same value.
        """
        found: list[Mapping[str, str]] = []

        def once() -> Mapping[str, str]:
            if not found:
                found.append(tags())
            return found[0]

        return self._made(tuple(layer.first_for(repository, once) for layer in self._layers))

    def _policy(self, fitting: tuple[int | None, ...]) -> Policy | None:
        """Made of the policy that fits in each document."""
        parts = [
            (f"{layer.name}: policies[{at}]", layer.policies[at])
            for layer, at in zip(self._layers, fitting, strict=True)
            if at is not None
        ]
        if not parts:
            return None
        name, first = parts[0]
        stating: list[PolicyPart | DocumentPart] = [part for _, part in parts]
        stating += [layer.part for layer in self._layers]
        protections = [each.protect for each in stating]
        return Policy(
            rules=tuple(values.rule(rule) for rule in first.rules),
            protect_tags=values.protected_tags(protections),
            protect_digests=values.protected_digests(protections),
            grace=values.grace(protections),
            signatures=Signatures(values.stated(first.signatures, "follow")),
            guards=values.guards(each.guards for each in stating),
            name=name,
            action=Action(values.stated(first.action, "delete")),
        )


def _hash(contents: Iterable[bytes]) -> str:
    """Of all contents; their lengths keep them apart."""
    total = hashlib.sha256()
    for content in contents:
        total.update(len(content).to_bytes(8, "big"))
        total.update(content)
    return total.hexdigest()
