"""Listings and answers that ECR should not give, and may: a repository in memory gives them."""

from collections.abc import Iterator, Sequence
from itertools import chain

import pytest

from aws_ecr_gc.apply import apply
from aws_ecr_gc.errors import ImageNotFound, Unintelligible
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.manifest import matches
from aws_ecr_gc.plan import Result
from aws_ecr_gc.policy import make_plan, original_policy
from aws_ecr_gc.ports import Answer, ImageId, TagPort
from aws_ecr_gc.registries.reading import list_images
from tests.policy.repositories import MANIFEST, NOW, REPOSITORY, digest


class InMemory:
    """A repository as `ports.RepositoryPort` wants it. `unsaid` are left out of answers without a word."""

    repository = REPOSITORY

    def __init__(self, *pages: list[Image], unsaid: Sequence[str] = (), names_the_vanished: bool = True) -> None:
        self._pages = pages
        self._there = {image.digest: image for image in chain(*pages)}
        self._unsaid = unsaid
        self._names_the_vanished = names_the_vanished
        self.deleted: list[ImageId] = []

    def pages(self) -> Iterator[list[Image]]:
        return iter(self._pages)

    def vanish(self, *digests: str) -> None:
        for each in digests:
            del self._there[each]

    def describe(self, digests: Sequence[str]) -> list[Image]:
        for each in digests:
            if each not in self._there:
                raise ImageNotFound("gone", each if self._names_the_vanished else None)
        return [self._there[each] for each in digests if each not in self._unsaid]

    def manifests(self, digests: Sequence[str]) -> dict[str, bytes]:
        return {each: b"{}" for each in digests if each in self._there}

    def turn(self) -> None: ...

    def delete(self, ids: Sequence[ImageId]) -> Answer:
        self.deleted.extend(ids)
        return Answer(tuple(ids), ())

    def archive(self, digest: str) -> None:
        raise AssertionError(f"{digest} is not to be archived")

    def activate(self, digest: str) -> Status:
        raise AssertionError(f"{digest} is not to be activated")

    def tags(self) -> TagPort:
        raise AssertionError("no tags are asked for")


def image(name: str, *tags: str, subject: str | None = None) -> Image:
    return Image(digest(name), NOW - 86400, tags, MANIFEST, subject=subject)


def test_an_image_whose_tags_straddle_a_page_counts_once_with_all_of_them() -> None:
    port = InMemory([image("a", "x"), image("b", "y")], [image("a", "z"), image("c")])
    seen: list[int] = []
    inventory = list_images(port, NOW, seen.append)
    assert {each.digest: each.tags for each in inventory.images.values()} == {
        digest("a"): ("x", "z"),
        digest("b"): ("y",),
        digest("c"): (),
    }
    assert seen == [2, 3]


def test_an_image_that_comes_twice_on_one_page_counts_once() -> None:
    inventory = list_images(InMemory([image("a", "x"), image("a", "x")]), NOW, lambda _: None)
    assert [each.tags for each in inventory.images.values()] == [("x",)]


def test_an_image_that_an_answer_leaves_out_without_a_word_is_not_taken_for_gone() -> None:
    port = InMemory([image("s", "build-1"), image("r", subject=digest("s"))], unsaid=[digest("s")])
    plan = make_plan(list_images(port, NOW, lambda _: None), original_policy({"build": 0}, delete_untagged=False), NOW)
    applied = apply(plan, port, stop=lambda: False)
    assert isinstance(applied.stopped_by, Unintelligible)
    assert applied.outcomes[digest("s")].result is Result.FAILED
    assert not port.deleted


@pytest.mark.parametrize("named", [True, False])
def test_a_look_that_fails_for_vanished_images_finds_the_others(*, named: bool) -> None:
    port = InMemory([image(name, f"build-{name}") for name in "abcdefgh"], names_the_vanished=named)
    plan = make_plan(list_images(port, NOW, lambda _: None), original_policy({"build": 0}, delete_untagged=False), NOW)
    port.vanish(digest("c"), digest("h"))
    applied = apply(plan, port, stop=lambda: False)
    assert {outcome.result for outcome in applied.outcomes.values()} == {Result.DONE}
    assert {each.digest for each in port.deleted} == {digest(name) for name in "abdefg"}


def test_a_manifest_is_verified_by_either_algorithm_of_oci_and_no_other() -> None:
    assert matches("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", b"{}")
    assert not matches("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", b"{ }")
    assert not matches("md5:99914b932bd37a50b983c5e7c90ae93b", b"{}")
