"""From a path to cases that are understood, and the policies that fit them."""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType

from aws_ecr_gc import durations
from aws_ecr_gc.errors import Mistakes, Misuse
from aws_ecr_gc.inventory import INDEX_TYPES, Image, Inventory, Status
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.policyfile import PolicyFile
from aws_ecr_gc.policyfile import load as load_policy
from aws_ecr_gc.policyfile.nodes import Node, plain
from aws_ecr_gc.policyfile.reading import content_of, tree_of
from aws_ecr_gc.policyfile.spots import Spot
from aws_ecr_gc.policyfile.values import stated, texts
from aws_ecr_gc.policyfile.walker import Walk
from aws_ecr_gc.policytests.cases import Case, Expect, Expectation, made_digest, moment, tag_with_digests
from aws_ecr_gc.policytests.meaning import document_mistakes
from aws_ecr_gc.policytests.shape import DOCUMENT, CasePart, DocumentPart, ImagePart
from aws_ecr_gc.reference import Registry, Repository

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NOWHERE = Registry(None, "", "aws")


class CaseFile(Struct, frozen=True):
    """A file's cases, each with the policy that fits its repository."""

    path: Path
    cases: tuple[tuple[Case, Policy | None], ...]


def load(path: Path) -> CaseFile:
    """Read a file with cases, and its policy file. Raises Misuse if it can't be read, Mistakes if either is wrong."""
    return parse(content_of(path, "file with cases", "split it"), path)


def parse(content: bytes, path: Path) -> CaseFile:
    """Read cases as if they stood in a file of this name. Raises what `load` raises."""
    root, mistakes = tree_of(content, path)
    if root is None:
        raise Mistakes(map(str, mistakes))
    root = _with_times_as_texts(root)
    walk = Walk(root, DOCUMENT)
    top = Spot(root, (), walk.unsound)
    mistakes += walk.mistakes
    policies: PolicyFile | None = None
    of_policy: tuple[str, ...] = ()
    named = top.sound("policy")
    if named is not None:
        try:
            policies = load_policy(path.parent / named.text)
        except Mistakes as error:
            of_policy = error.lines
        except Misuse as error:
            mistakes.append(named.mistake(str(error)))
    mistakes += document_mistakes(top, policies)
    if mistakes or of_policy or policies is None:
        mistakes.sort(key=lambda mistake: (mistake.line, mistake.column))
        raise Mistakes([*map(str, mistakes), *of_policy])
    part = msgspec.convert(plain(root), DocumentPart)
    cases = [_case(each, spot) for each, spot in zip(part.cases, top.each("cases"), strict=True)]
    fitting = [_fitting(each, policies) for each in part.cases]
    return CaseFile(path, tuple(zip(cases, fitting, strict=True)))


def _with_times_as_texts(node: Node) -> Node:
    """The tree, with the texts of TOML's dates and times for them: the other formats have no others."""
    if node.members is not None:
        members = {key: _with_times_as_texts(member) for key, member in node.members.items()}
        return msgspec.structs.replace(node, members=members)
    if node.items is not None:
        return msgspec.structs.replace(node, items=tuple(_with_times_as_texts(item) for item in node.items))
    return msgspec.structs.replace(node, scalar=node.spelled) if isinstance(node.scalar, date | time) else node


def _fitting(part: CasePart, policies: PolicyFile) -> Policy | None:
    return policies.policy_for(part.repository, lambda: stated(part.resource_tags, {}))


def _case(part: CasePart, spot: Spot) -> Case:
    at = moment(part.at)
    digests = [_digest(image, place) for place, image in enumerate(part.images)]
    by_name = {stated(image.name, ""): digest for image, digest in zip(part.images, digests, strict=True)}
    images: dict[str, Image] = {}
    labels: dict[str, str] = {}
    expectations: list[Expectation] = []
    for place, (image_part, image_spot) in enumerate(zip(part.images, spot.each("images"), strict=True)):
        image = _image(image_part, digests[place], by_name, at)
        images[image.digest] = image
        labels[image.digest] = stated(image_part.name, "") or next(iter(image.tags), f"images[{place}]")
        if not isinstance(image_part.expect, UnsetType):
            expect, by = Expect(image_part.expect), stated(image_part.by, None)
            loses = None if isinstance(image_part.loses, UnsetType) else frozenset(texts(image_part.loses))
            expectations.append(Expectation(image.digest, image_spot.node.place.line, expect, by, loses))
    return Case(
        name=part.name,
        line=spot.node.place.line,
        inventory=Inventory(Repository(_NOWHERE, part.repository), at, images),
        labels=labels,
        expectations=tuple(expectations),
        guards=_guards(part),
        unfit=part.fits is not UNSET,
    )


def _guards(part: CasePart) -> frozenset[str] | None:
    if isinstance(part.guards, UnsetType):
        return None
    return frozenset([part.guards] if isinstance(part.guards, str) else part.guards)


def _digest(part: ImagePart, place: int) -> str:
    return stated(part.digest, made_digest(stated(part.name, f"images[{place}]")))


def _image(part: ImagePart, digest: str, by_name: Mapping[str, str], at: float) -> Image:
    def named(reference: str) -> str:
        return by_name.get(reference, reference)

    is_index = not isinstance(part.index_of, UnsetType)
    media_type = stated(part.media_type, _INDEX if is_index else _MANIFEST)
    status = Status[stated(part.status, "active").upper()]
    children: tuple[str, ...] | None = tuple(map(named, texts(part.index_of)))
    if media_type in INDEX_TYPES and not is_index and status is not Status.ACTIVE:
        children = None
    pushed_at = _time(part.pushed, part.age, at)
    if pushed_at is None:  # `meaning` saw to it that there is one
        raise AssertionError
    return Image(
        digest=digest,
        pushed_at=pushed_at,
        tags=tuple(tag_with_digests(tag, by_name) for tag in texts(part.tags)),
        media_type=media_type,
        size=stated(part.size, 0),
        status=status,
        subject=None if isinstance(part.subject, UnsetType) else named(part.subject),
        children=children,
        pulled_at=_time(part.pulled, part.pulled_age, at),
        artifact_type=stated(part.artifact_type, None),
        archived_at=_time(part.archived, part.archived_age, at),
        activated_at=_time(part.activated, part.activated_age, at),
    )


def _time(time: str | UnsetType, age: str | UnsetType, at: float) -> float | None:
    if not isinstance(time, UnsetType):
        return moment(time)
    return None if isinstance(age, UnsetType) else at - durations.parse(age)
