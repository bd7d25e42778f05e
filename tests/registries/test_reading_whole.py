"""A repository read whole over the wire: listed, its indexes read, and listed again where one vanishes in between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.errors import Interrupted
from aws_ecr_gc.inventory import Inventory, unread_indexes
from aws_ecr_gc.registries.ecr import EcrRepository, open_repository
from aws_ecr_gc.registries.manifests import ManifestDirectory
from aws_ecr_gc.registries.reading import IndexVanished, read_whole
from aws_ecr_gc.sandbox import Sandbox
from tests.wire.builder import Builder

NOW = 1_700_000_000.0

pytestmark = pytest.mark.usefixtures("credentials")


class Reading:
    """Reads the repository `testrepo`, and keeps what was said."""

    def __init__(self, port: EcrRepository, cache: Path) -> None:
        self._port = port
        self._cache = ManifestDirectory(cache)
        self.progress: list[str] = []
        self.said: list[str] = []
        self.asked: list[Inventory] = []

    def __call__(self, *needed: str, everything: bool = True) -> Inventory:
        def choose(inventory: Inventory) -> list[str]:
            self.asked.append(inventory)
            return unread_indexes(inventory) if everything else list(needed)

        return read_whole(self._port, NOW, choose, self._cache, progress=self.progress.append, say=self.said.append)


@pytest.fixture
def reading(sandbox: Sandbox, tmp_path: Path) -> Iterator[Reading]:
    opened = open_repository("testrepo", region="us-east-1", registry_id=None, profile=None, endpoint_url=sandbox.url)
    with closing(opened) as port:
        yield Reading(port, tmp_path)


def operations(sandbox: Sandbox) -> list[str]:
    return [call.operation for call in sandbox.calls]


def first_vanishes_at(sandbox: Sandbox, repo: Builder, *calls: int) -> None:
    """The first index that is to be read goes right before these calls."""

    def vanish(request: dict[str, Any]) -> None:
        repo.repository.remove(request["imageIds"][0]["imageDigest"])

    for call in calls:
        sandbox.before("BatchGetImage", vanish, call=call)


def indexes(repo: Builder, names: str) -> None:
    repo.image("child")
    for name in names:
        repo.index(name, children=["child"])


def test_unread_indexes_is_read_and_progress_is_told(sandbox: Sandbox, reading: Reading) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    for number in range(150):
        repo.index(f"index-{number}", f"v{number}", children=["child"])
    inventory = reading()
    assert inventory.taken_at == NOW
    assert {image.children for image in inventory.images.values()} == {(), (repo.digests["child"],)}
    assert operations(sandbox) == ["DescribeImages", "BatchGetImage", "BatchGetImage"]
    assert (reading.progress, reading.said) == (["151 images listed", "100 indexes read", "150 indexes read"], [])


def test_nothing_is_read_where_nothing_is_needed(sandbox: Sandbox, reading: Reading) -> None:
    repo = Builder(sandbox)
    repo.index("index", children=[])
    inventory = reading(everything=False)
    assert inventory.images[repo.digests["index"]].children is None
    assert operations(sandbox) == ["DescribeImages"]


def test_only_what_is_needed_is_read_and_what_was_read_once_is_known(sandbox: Sandbox, reading: Reading) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    for name in "abc":
        repo.index(name, children=["child"])
    children = (repo.digests["child"],)
    assert [reading(repo.digests["a"], everything=False).images[repo.digests[name]].children for name in "abc"] == [
        children,
        None,
        None,
    ]
    repo.repository.archive(repo.digests["b"])
    repo.repository.archive(repo.digests["a"])
    inventory = reading()
    assert [inventory.images[repo.digests[name]].children for name in "abc"] == [children, None, children]
    assert [reading.asked[-1].images[repo.digests[name]].children for name in "abc"] == [children, None, None]
    assert operations(sandbox).count("BatchGetImage") == 2


def test_an_index_that_vanishes_means_a_fresh_listing_with_the_pull_times_of_the_first(
    sandbox: Sandbox, reading: Reading
) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    for name in ("old", "kept"):
        repo.index(name, f"build-{name}", children=["child"])
    repo.repository.change(repo.digests["child"], pulled_at=1_600_000_000.0)

    def vanish(_request: object) -> None:
        repo.repository.remove(repo.digests["old"])
        repo.repository.pull(repo.digests["child"])
        repo.image("new")

    sandbox.before("BatchGetImage", vanish)
    inventory = reading()
    assert repo["kept"].pulled_at is not None
    assert repo["child"].pulled_at != 1_600_000_000.0
    assert {name: inventory.images[repo.digests[name]].pulled_at for name in ("child", "kept", "new")} == {
        "child": 1_600_000_000.0,
        "kept": None,
        "new": None,
    }
    assert inventory.images.keys() == {repo.digests[name] for name in ("child", "kept", "new")}
    assert reading.said == [
        f"index {repo.digests['old']}: listed, but gone when it was read; listing the repository again"
    ]


def test_the_second_fresh_listing_may_still_be_whole_and_pull_times_are_those_of_the_first_of_all(
    sandbox: Sandbox, reading: Reading
) -> None:
    repo = Builder(sandbox)
    indexes(repo, "abc")
    first_vanishes_at(sandbox, repo, 1, 2)
    inventory = reading()
    assert {image.pulled_at for image in inventory.images.values()} == {None}
    assert inventory.images.keys() == repo.repository.images.keys()
    assert sorted(image.children or () for image in inventory.images.values()) == [(), (repo.digests["child"],)]
    assert len(reading.said) == 2
    assert len(reading.asked) == 3


def test_a_repository_whose_indexes_keep_vanishing_is_given_up(sandbox: Sandbox, reading: Reading) -> None:
    repo = Builder(sandbox)
    indexes(repo, "abcd")
    first_vanishes_at(sandbox, repo, 1, 2, 3)
    with pytest.raises(IndexVanished, match=r"^index sha256:[0-9a-f]{64}: listed, but gone"):
        reading()
    assert operations(sandbox).count("DescribeImages") == 3
    assert len(reading.said) == 2


@pytest.mark.parametrize("at", ["images listed", "indexes read"])
def test_what_progress_raises_ends_the_reading(sandbox: Sandbox, reading: Reading, tmp_path: Path, at: str) -> None:
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", children=["child"])

    def interrupt(text: str) -> None:
        if text.endswith(at):
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        read_whole(
            reading._port, NOW, unread_indexes, ManifestDirectory(tmp_path), progress=interrupt, say=reading.said.append
        )
    assert not reading.said
