"""Snapshots: what was written comes back, whole; what is broken is refused in one line."""

import gzip
import json
import stat
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc import snapshots
from aws_ecr_gc.errors import AwsFailure, Misuse, OutputLost
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.snapshots import RepositorySnapshot, layout, open_snapshot, write, writing

REGISTRY = Registry("123456789012", "cn-north-1", "aws-cn")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

digests = st.integers(0, 40).map(lambda number: f"sha256:{number:064x}") | st.sampled_from(
    ["sha512:" + "0" * 128, "sha256+b64:0f", "a.b-c_d:0Ff"]
)
times = st.floats(0, 10_000_000_000) | st.integers(0, 2_000_000_000_000).map(lambda ms: ms / 1000)
names = st.sampled_from(["app", "team/web", "team/api", "a/b/c", "x" * 256, "a-b.c_d", "0", "1"])
tags = st.integers(0, 10_000).map(lambda number: f"v{number}") | st.sampled_from(["latest", "_", "A.b-c", "x" * 300])
images = st.builds(
    Image,
    digest=digests,
    pushed_at=times,
    tags=st.lists(tags, max_size=3).map(tuple),
    media_type=st.sampled_from([None, INDEX, MANIFEST]) | st.text(max_size=20),
    size=st.integers(0, 1 << 50),
    status=st.sampled_from(list(Status)),
    subject=st.none() | digests,
    children=st.none() | st.lists(digests | st.text(max_size=5), max_size=4).map(tuple),
    pulled_at=st.none() | times,
    artifact_type=st.none() | st.text(max_size=20),
)


def taken(name: str, *inside: Image, at: float = 1_700_000_000.25, **tags: str) -> RepositorySnapshot:
    return RepositorySnapshot(
        Inventory(Repository(REGISTRY, name), at, {image.digest: image for image in inside}), tags
    )


class Watched(RepositorySnapshot, frozen=True, weakref=True):
    """One that can be seen to be let go."""


repositories = st.builds(
    lambda name, at, inside, tags: RepositorySnapshot(
        Inventory(Repository(REGISTRY, name), at, {image.digest: image for image in inside}), tags
    ),
    names,
    times,
    st.lists(images, max_size=12),
    st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=10), max_size=4),
)

SMALL = (
    taken(
        "team/web",
        Image("sha256:0a", 1_600_000_000.5, ("v1", "latest"), INDEX, 7, children=("sha256:0b",), pulled_at=1.5e9),
        Image("sha256:0b", 1_600_000_001.0, (), MANIFEST, 9, Status.ARCHIVED, "sha256:0a", artifact_type="x/y"),
        Image("sha256:0c", 1_600_000_002.0, (), INDEX, children=None),
        team="web",
    ),
    taken("empty"),
)


def content(path: Path) -> list[RepositorySnapshot]:
    """Everything in a snapshot."""
    with closing(open_snapshot(path)) as snapshot:
        return [
            RepositorySnapshot(snapshot.inventory(name), snapshot.resource_tags(name)) for name in snapshot.names([])
        ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples of a test."""
    return tmp_path_factory.mktemp("snapshots") / "s.gz"


@given(st.lists(repositories, max_size=5, unique_by=lambda each: each.inventory.repository.name))
def test_what_was_written_comes_back_whatever_it_was(path: Path, written: list[RepositorySnapshot]) -> None:
    counts = write(path, REGISTRY, written)
    assert counts == snapshots.Written(
        len(written), sum(len(each.inventory.images) for each in written), path.stat().st_size
    )
    assert content(path) == sorted(written, key=lambda each: each.inventory.repository.name)
    before = path.read_bytes()
    write(path, REGISTRY, iter(written))
    assert path.read_bytes() == before, "the same values make the same bytes"


def test_a_row_has_every_field_of_an_image_in_the_same_order_with_the_same_defaults() -> None:
    assert layout.Row.__struct_fields__ == Image.__struct_fields__
    defaults = layout.Row.__struct_defaults__
    assert defaults[-len(Image.__struct_defaults__) :] == Image.__struct_defaults__


def test_a_snapshot_is_json_lines_that_name_what_they_hold(path: Path) -> None:
    write(path, REGISTRY, SMALL)
    header, web, empty, table, tail = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    assert {key: header[key] for key in ("format", "version", "registry")} == {
        "format": "aws-ecr-gc snapshot",
        "version": 1,
        "registry": {"account": "123456789012", "region": "cn-north-1", "partition": "aws-cn"},
    }
    assert header["tool"].startswith("aws-ecr-gc ")
    assert web["images"] == [
        {
            "digest": "sha256:0a",
            "pushed_at": 1600000000.5,
            "tags": ["v1", "latest"],
            "media_type": INDEX,
            "size": 7,
            "children": ["sha256:0b"],
            "pulled_at": 1500000000.0,
        },
        {
            "digest": "sha256:0b",
            "pushed_at": 1600000001.0,
            "media_type": MANIFEST,
            "size": 9,
            "status": "ARCHIVED",
            "subject": "sha256:0a",
            "artifact_type": "x/y",
        },
        {"digest": "sha256:0c", "pushed_at": 1600000002.0, "media_type": INDEX, "children": None},
    ]
    assert (web["taken_at"], web["resource_tags"]) == (1700000000.25, {"team": "web"})
    assert empty == {"name": "empty", "taken_at": 1700000000.25, "resource_tags": {}, "images": []}
    assert [row["name"] for row in table["repositories"]] == ["team/web", "empty"]
    assert tail == {"table_at": table["repositories"][1]["at"] + table["repositories"][1]["compressed"]}


def test_names_are_chosen_as_in_a_registry_and_what_is_not_there_is_misuse(path: Path) -> None:
    write(path, REGISTRY, SMALL)
    with closing(open_snapshot(path)) as snapshot:
        assert snapshot.registry == REGISTRY
        assert snapshot.names([]) == ["empty", "team/web"]
        assert snapshot.names(["t*", "empty"]) == ["empty", "team/web"]
        assert snapshot.names(["team/web"]) == ["team/web"]
        for ask in (snapshot.inventory, snapshot.resource_tags, lambda name: snapshot.names([name])):
            with pytest.raises(Misuse) as caught:
                ask("web")
            assert str(caught.value) == f"repository web: not in the snapshot {path}; check --repo"
        with pytest.raises(Misuse, match=r"^no repository fits w\* in the snapshot .+; check --repo$"):
            snapshot.names(["*", "w*"])


def test_a_snapshot_of_nothing_is_one(path: Path) -> None:
    assert write(path, Registry(None, "us-east-1", "aws"), []).repositories == 0
    with closing(open_snapshot(path)) as snapshot:
        assert snapshot.names([]) == []
        assert snapshot.registry == Registry(None, "us-east-1", "aws")


def test_a_line_much_longer_than_a_chunk_comes_back(path: Path) -> None:
    many = taken(
        "many", *(Image(f"sha256:{number:064x}", 1.5e9, (f"v{number}",), MANIFEST) for number in range(30_000))
    )
    write(path, REGISTRY, [many, *SMALL])
    assert path.stat().st_size < 1 << 20
    assert content(path)[1] == many


def test_an_open_snapshot_stays_itself_when_another_takes_its_place(path: Path) -> None:
    write(path, REGISTRY, SMALL)
    with closing(open_snapshot(path)) as snapshot:
        write(path, REGISTRY, [taken("other")])
        assert snapshot.inventory("team/web") == SMALL[0].inventory
    assert [each.inventory.repository.name for each in content(path)] == ["other"]


# Writing


def test_a_snapshot_is_private(tmp_path: Path) -> None:
    path = tmp_path / "s.gz"
    write(path, REGISTRY, SMALL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["s.gz"]


@pytest.mark.parametrize("earlier", [None, b"precious"])
def test_where_reading_fails_the_earlier_file_stays_and_nothing_is_left_behind(
    tmp_path: Path, earlier: bytes | None
) -> None:
    path = tmp_path / "s.gz"
    if earlier is not None:
        path.write_bytes(earlier)

    def failing() -> Iterator[RepositorySnapshot]:
        yield SMALL[0]
        raise AwsFailure("throttled")

    with pytest.raises(AwsFailure, match="throttled"):
        write(path, REGISTRY, failing())
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if earlier is None else [earlier])


def test_only_one_repository_is_held_at_a_time(path: Path) -> None:
    made: list[weakref.ref[RepositorySnapshot]] = []

    def some() -> Iterator[RepositorySnapshot]:
        for number in range(3):
            assert all(each() is None for each in made)
            each = Watched(taken(f"r{number}").inventory, {})
            made.append(weakref.ref(each))
            yield each
            del each

    write(path, REGISTRY, some())
    assert len(made) == 3


def test_repositories_of_two_registries_or_twice_the_same_are_a_defect(path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        write(path, REGISTRY, [SMALL[0], SMALL[0]])
    with pytest.raises(ValueError, match="another registry"):
        write(path, Registry("1", "us-east-1", "aws"), SMALL)


def test_a_place_where_no_file_can_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="is a directory; name a file"):
        write(tmp_path, REGISTRY, SMALL)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputLost, match=r"s\.gz: can't be written: "):
        write(tmp_path / "file" / "s.gz", REGISTRY, SMALL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(OutputLost, match=r"s\.gz: can't be written: No space left on device$"),
    ):
        writing._Writer(Path("s.gz"), full).append(b"x")


def test_a_repository_that_no_snapshot_can_hold_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LONGEST_LINE", 100)
    with pytest.raises(Misuse, match=r"^repository team/web: 3 images take [0-9]+ bytes, .+ leave it out with --repo$"):
        write(path, REGISTRY, SMALL)
