"""The one narrow door to a registry. Back ends implement it; what cuts across them wraps it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct

from aws_ecr_gc.errors import Error, Misuse
from aws_ecr_gc.globs import has_wildcard, matcher
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Outcome
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.targets import parted

BATCH = 100  # the most ids that ECR takes in one call, whatever the call
GONE = "ImageNotFound"  # the code of a refusal that is none: the id is gone already


class ImageId(NamedTuple):
    """What ECR calls an image identifier. With a tag it means: this tag, if it still points at this digest."""

    digest: str
    tag: str | None


class Refusal(Struct, frozen=True):
    """An id that ECR did not act on, with its code and reason."""

    id: ImageId
    code: str
    reason: str


class Answer(Struct, frozen=True):
    """The answer to one call that deletes or archives: the ids that it did so to, and the refusals."""

    done: tuple[ImageId, ...]
    refused: tuple[Refusal, ...]


class DeleteReplication(Struct, frozen=True):
    """Other registries, in words, in which what is deleted in this one is deleted too.

    It holds for repositories whose name begins with one of the prefixes, or for all where there are none.
    """

    prefixes: tuple[str, ...]
    destinations: tuple[str, ...]


_ROOT = "ROOT"
"""The prefix of what no other prefix takes."""


class CacheRule(Struct, frozen=True):
    """Repositories whose name begins with the prefix hold copies that pulls through the registry fetched upstream."""

    prefix: str
    upstream: str

    def takes(self, repository: str) -> bool:
        return self.prefix == _ROOT or repository.startswith(f"{self.prefix}/")


class CreationTemplate(Struct, frozen=True):
    """What repositories are made by that nobody creates: those whose name begins with the prefix.

    `lifecycle` says whether it gives them a lifecycle policy of ECR's own.
    """

    prefix: str
    applied_for: tuple[str, ...]
    lifecycle: bool

    def takes(self, repository: str) -> bool:
        return self.prefix == _ROOT or repository.startswith(f"{self.prefix}/")


def filled_by(caches: Iterable[CacheRule], repository: str) -> list[str]:
    """What it means that images of a repository are deleted where these caches fill it, a line each."""
    return [
        f"a pull-through cache of {rule.upstream}: what is deleted here is fetched again when it is pulled again, "
        "as it is upstream then"
        for rule in sorted(caches, key=lambda each: each.prefix)
        if rule.takes(repository)
    ]


def made_by(templates: Iterable[CreationTemplate], repository: str) -> list[str]:
    """By which of the templates a repository is made anew, and what that means: a line, or none."""
    fitting = [each for each in templates if each.takes(repository)]
    for template in sorted(fitting, key=lambda each: (each.prefix == _ROOT, -len(each.prefix))):  # the longest first
        own = ", with a lifecycle policy of ECR's own beside this policy" if template.lifecycle else ""
        made = ", ".join(template.applied_for).lower().replace("_", " ")
        return [f"made by the creation template {template.prefix} ({made}){own}"]
    return []


def replicated_to(rules: Iterable[DeleteReplication], repository: str) -> list[str]:
    """Where else what is deleted in a repository is deleted, each once."""
    taking = (rule for rule in rules if not rule.prefixes or repository.startswith(rule.prefixes))
    return sorted({destination for rule in taking for destination in rule.destinations})


class RepositoryPort(Protocol):
    """One repository of one registry. Every method raises `errors.AwsFailure` or `errors.Misuse`."""

    @property
    def repository(self) -> Repository:
        """The repository; its registry's account is known once an image was seen."""

    def pages(self) -> Iterator[list[Image]]:
        """Every image whatever its status; children of indexes are not filled in. An image may come twice."""

    def describe(self, digests: Sequence[str]) -> list[Image]:
        """At most `BATCH` images as they are now. One that is gone raises `errors.ImageNotFound` for all."""

    def manifests(self, digests: Sequence[str]) -> dict[str, bytes]:
        """The manifests of at most `BATCH` images by digest; what is gone is left out. Counts as a pull."""

    def turn(self) -> None:
        """Wait until `delete` may be called, so that nothing waits between the last look at images and their end."""

    def delete(self, ids: Sequence[ImageId]) -> Answer:
        """Delete at most `BATCH` ids."""

    def archive(self, digest: str) -> None:
        """Move one image to the archive, which one that is there already stays in.

        Raises ImageNotFound for one that is gone, and NotArchivable for one that ECR does not archive now.
        """

    def activate(self, digest: str) -> Status:
        """Begin to take one image out of the archive: its status now. Raises ImageNotFound."""

    def tags(self) -> "TagPort":
        """Its tags. Nothing is called yet."""


class Availability(StrEnum):
    """Whether a layer is in a repository. An archived one can't be read, and may have to be pushed again."""

    AVAILABLE = "AVAILABLE"
    ARCHIVED = "ARCHIVED"
    UNAVAILABLE = "UNAVAILABLE"


class TagPort(Protocol):
    """The tags of one repository.

    Every method raises `errors.AwsFailure` or `errors.Misuse`; Passing where the same may go well another time.
    """

    def tagged(self, tag: str) -> str | None:
        """The digest that a tag is on right now, whatever the image's status."""

    def put(self, digest: str, manifest: bytes, media_type: str | None, tag: str | None) -> None:
        """Put a manifest there, once, under a tag or none. It may be there already.

        In a repository where tags are mutable, one that is on another image is moved: look before. Raises
        Unintelligible where ECR puts another digest there. The codes of its failures are ECR's.
        """


class ContentPort(TagPort, Protocol):
    """The content of one repository: layers, and manifests to be put there.

    Every method raises `errors.AwsFailure` or `errors.Misuse`; Passing where the same may go well another time.
    """

    def layers(self, digests: Sequence[str]) -> dict[str, Availability]:
        """Whether at most `BATCH` layers are there; each of them is answered for."""

    def download(self, digest: str) -> Iterator[bytes]:
        """A layer that an active image names. It is not checked against its digest."""

    def upload(self, digest: str, content: Callable[[], Iterator[bytes]]) -> None:
        """Put a layer there, verified by ECR; `content` gives it from its beginning, maybe more than once."""


class Recorder(Protocol):
    """Where the deletions in one repository are put on record.

    What a method is told is durable when it returns. Where it can't be, `errors.JournalLost`.
    """

    def wants(self, digests: Iterable[str]) -> list[str]:
        """Those of which a manifest is still to be put on record, so that they can be restored."""

    def unread(self, error: Error) -> None:
        """The manifests can't be read. Raises the error, or takes it that there will be none."""

    def about(
        self, action: Action, ids: Sequence[ImageId], images: Iterable[Image], manifests: Mapping[str, bytes]
    ) -> int:
        """Right before these ids are acted on: the number of the record.

        `images` are those of the ids as they were just described, with the manifests that are wanted.
        """

    def answered(self, about: int, answer: Answer | Error) -> None:
        """Right after that: what was answered, or why there is no answer."""

    def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """The final word on some steps."""


class KeptPolicy(Struct, frozen=True):
    """A repository's lifecycle policy as the registry keeps it. `evaluated_at`, in epoch seconds, is None for never."""

    text: str
    evaluated_at: float | None


class Previewed(Struct, frozen=True):
    """An image that a lifecycle policy would act on: `action` is EXPIRE or TRANSITION, `priority` that of the rule."""

    digest: str
    tags: tuple[str, ...]
    action: str
    priority: int


class Preview(Struct, frozen=True):
    """The last preview of a repository: `results` are there where `status` is COMPLETE; `text` is what was tried."""

    status: str
    text: str
    results: tuple[Previewed, ...] = ()


class LifecyclePort(Protocol):
    """The lifecycle policy of one repository. Every method raises `errors.AwsFailure` or `errors.Misuse`."""

    def policy(self) -> KeptPolicy | None:
        """What is kept; None where there is none."""

    def put(self, text: str) -> None:
        """Keep another one."""

    def remove(self) -> None:
        """Keep none."""

    def start_preview(self, text: str | None) -> bool:
        """Begin to try a policy, or the one that is kept; False where another preview is under way."""

    def preview(self) -> Preview:
        """How the last preview stands."""


class RegistryPort(Protocol):
    """One registry. Every method but `close` raises `errors.AwsFailure` or `errors.Misuse`."""

    @property
    def registry(self) -> Registry:
        """The registry; its account is known once a repository was listed."""

    def names(self, patterns: Sequence[str]) -> list[str]:
        """The repositories that fit one of the patterns (`globs`), or all without any; sorted, each once.

        A pattern that begins with `!` takes what fits it out again. Raises Misuse for another one that fits none.
        """

    def repository(self, name: str) -> RepositoryPort:
        """One of its repositories. Nothing is called yet."""

    def lifecycle(self, name: str) -> LifecyclePort:
        """The lifecycle policy of one of its repositories. Nothing is called yet."""

    def resource_tags(self, name: str) -> dict[str, str]:
        """The tags of a repository as an AWS resource, value by key."""

    def delete_replication(self) -> Sequence[DeleteReplication]:
        """The rules by which deletions are replicated to other registries."""

    def caches(self) -> Sequence[CacheRule]:
        """What fills repositories without a push: the rules of pull-through caches."""

    def templates(self) -> Sequence[CreationTemplate]:
        """What makes repositories that nobody creates."""

    def close(self) -> None:
        """Give back what is held open."""


def chosen(names: Iterable[str], patterns: Sequence[str], not_found: Callable[[str], Error]) -> list[str]:
    """What `RegistryPort.names` promises, of all names; raises `not_found(pattern)` for the first that fits none."""
    everything = sorted(set(names))
    known = frozenset(everything)
    taking, excluding = parted(patterns)
    for pattern in taking:
        if pattern not in known and not (has_wildcard(pattern) and any(map(matcher([pattern]), everything))):
            raise not_found(pattern)
    fitting = list(filter(matcher(taking), everything)) if taking else everything
    left = without(fitting, excluding)
    if fitting and not left:
        raise Misuse(nothing_left(excluding))
    return left


def remaining(patterns: Sequence[str]) -> tuple[str, ...]:
    """The same patterns; names alone without those that are taken out again. Raises Misuse where none is left."""
    taking, excluding = parted(patterns)
    if not taking or any(map(has_wildcard, taking)):
        return tuple(patterns)
    left = without(taking, excluding)
    if not left:
        raise Misuse(nothing_left(excluding))
    return tuple(left)


def nothing_left(excluding: Sequence[str]) -> str:
    """What to say where these globs take out all."""
    return f"no repository is left: all are taken out by {', '.join(f'!{each}' for each in excluding)}; leave that out"


def without(names: Iterable[str], excluding: Sequence[str]) -> list[str]:
    """The names that fit none of these globs."""
    excluded = matcher(excluding)
    return [name for name in names if not excluded(name)]
