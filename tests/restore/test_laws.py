"""Laws of putting back: of any graph of images, with tags given away, layers gone, answers lost."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ecr_gc.restore import Lost, Result, in_order, put_back, with_relatives
from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import FULL, Shell
from tests.restore.conftest import state
from tests.restore.standin import Backup, Faults, Repository, layer, lost
from tests.wire.builder import Builder

LAYERS = "abcde"
TAGS = [f"t{number}" for number in range(12)]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Lost]:
    """Images, indexes of those before them, and referrers; no two with the same tag."""
    free = list(TAGS)
    made: list[Lost] = []
    for number in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["image", "index", "referrer"])) if made else "image"
        tags = [free.pop() for _ in range(min(len(free), draw(st.integers(0, 2))))]
        some = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True)) if made else []
        made.append(
            lost(
                f"image {number}",
                *tags,
                children=some if kind == "index" else (),
                subject=some[0] if kind == "referrer" or (kind == "index" and draw(st.booleans())) else None,
                layers=draw(st.lists(st.sampled_from(LAYERS), max_size=2, unique=True)),
            )
        )
    shuffled = draw(st.permutations(made))
    return {each.digest: each for each in shuffled}


@given(graphs())
def test_children_come_before_indexes_and_subjects_before_referrers(graph: dict[str, Lost]) -> None:
    ordered = in_order(graph)
    assert {each.digest for each in ordered} == graph.keys()
    place = {each.digest: number for number, each in enumerate(ordered)}
    for each in ordered:
        assert all(place[child] < place[each.digest] for child in each.parts.children)
        if each.parts.subject is not None:
            assert place[each.parts.subject] < place[each.digest]


def test_an_index_that_lists_what_refers_to_it_comes_after_it() -> None:
    first = lost("a")
    subject_of_child = Lost("sha256:" + "0" * 64, (), (), None, None)
    child = lost("child", subject=subject_of_child)
    index = lost("index", children=[child, first])
    # The child's subject is the index, which no manifest can really say: the digests would have to know each other.
    told = Lost(
        child.digest, (), (), None, (child.manifest or b"").replace(b"sha256:" + b"0" * 64, index.digest.encode())
    )
    ordered = [each.digest for each in in_order({index.digest: index, told.digest: told, first.digest: first})]
    assert ordered.index(child.digest) < ordered.index(index.digest)


@given(graphs(), st.data())
def test_what_is_chosen_comes_with_all_that_it_needs(graph: dict[str, Lost], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.sampled_from(sorted(graph)), min_size=1, max_size=2))
    found = with_relatives(wanted, graph)
    assert set(wanted) <= found.keys() <= graph.keys()
    for each in found.values():
        assert found.keys() >= set(each.parts.children)
    for each in graph.values():
        assert each.parts.subject not in found or each.digest in found


def tags_of(repository: Repository) -> Mapping[str, str]:
    return dict(repository.tags)


class World(NamedTuple):
    """Layers that are there, or in a backup; tags that somebody else has; what goes wrong."""

    there: set[str]
    saved: set[str]
    given_away: set[str]
    immutable: bool
    faults: list[str]


WORLDS = st.builds(
    World,
    st.sets(st.sampled_from(LAYERS)),
    st.sets(st.sampled_from(LAYERS)),
    st.sets(st.sampled_from(TAGS)),
    st.booleans(),
    st.lists(st.sampled_from(["", "", "refused", "lost"]), max_size=9),
)


@given(graphs(), WORLDS)
def test_all_comes_back_but_for_what_lacks_layers_and_tags_that_others_have(
    graph: dict[str, Lost], world: World
) -> None:
    there, saved, given_away, immutable, drawn = world
    repository = Repository(sorted(there), immutable=immutable)
    other = lost("other")
    repository.images[other.digest] = other.manifest or b""
    repository.tags = dict.fromkeys(given_away, other.digest)
    repository.strike = Faults(drawn)
    backup = Backup(sorted(saved))
    work = put_back(in_order(graph), repository.inventory, repository, source=backup, pause=lambda _: None)
    assert work.stopped_by is None
    had = {layer(name) for name in there | saved}
    for each in graph.values():
        ended = work.ended[each.digest]
        whole = all(had >= {blob.digest for blob in graph[digest].parts.blobs} for digest in closure(each, graph))
        assert (ended.result is not Result.NOT) == whole == (each.digest in repository.images)
        missing = {blob.digest for blob in each.parts.blobs} - had
        assert not ended.missing or {blob.digest for blob in ended.missing} == missing
        if whole:
            for tag in each.tags:
                assert repository.tags[tag] == (other.digest if tag in given_away else each.digest)
            assert ended.elsewhere == {tag: other.digest for tag in each.tags if tag in given_away}
            assert (ended.result is Result.PARTLY) == bool(ended.elsewhere)
    assert all(repository.tags[tag] == other.digest for tag in given_away), "no tag is taken away"
    before, puts = (dict(repository.images), tags_of(repository)), len(repository.puts)
    again = put_back(in_order(graph), repository.inventory, repository, source=Backup(sorted(saved)))
    assert (dict(repository.images), tags_of(repository)) == before, "twice is once"
    assert len(repository.puts) == puts
    assert {each.result for each in again.ended.values()} <= {Result.THERE, Result.NOT, Result.PARTLY}


def closure(image: Lost, graph: dict[str, Lost]) -> set[str]:
    found = {image.digest}
    for child in image.parts.children:
        found |= closure(graph[child], graph)
    return found


@given(graphs(), st.integers(0, 30), st.booleans())
def test_a_tag_that_is_set_before_the_last_look_is_never_taken(
    graph: dict[str, Lost], moment: int, immutable: bool
) -> None:
    repository = Repository(LAYERS, immutable=immutable)
    other = lost("other")
    repository.images[other.digest] = other.manifest or b""
    looks = iter(range(1000))
    theirs: set[str] = set()

    def strike(call: str, when: str) -> None:
        if call == "tagged" and next(looks) == moment:
            theirs.update(set(TAGS) - repository.tags.keys())
            repository.tags |= dict.fromkeys(theirs, other.digest)
        assert when

    repository.strike = strike
    put_back(in_order(graph), repository.inventory, repository)
    assert all(repository.tags[tag] == other.digest for tag in theirs)


@given(graphs(), st.data())
def test_an_image_that_is_there_gets_the_tags_that_were_taken_off_it_and_no_others(
    graph: dict[str, Lost], data: st.DataObject
) -> None:
    repository = Repository(LAYERS)
    put_back(in_order(graph), {}, repository)
    removed = data.draw(st.sets(st.sampled_from(TAGS)))
    others = data.draw(st.sets(st.sampled_from(TAGS)))  # taken off by somebody else since
    repository.tags = {tag: at for tag, at in repository.tags.items() if tag not in removed | others}
    seen = {
        digest: Lost(
            digest, each.tags, tuple(tag for tag in each.tags if tag in removed), each.media_type, each.manifest
        )
        for digest, each in graph.items()
    }
    put_back(in_order(seen), repository.inventory, repository)
    wanted = {tag: each.digest for each in graph.values() for tag in each.tags if tag in removed or tag not in others}
    assert repository.tags == wanted


@given(graphs())
def test_a_dry_run_changes_nothing_and_foretells_what_happens(graph: dict[str, Lost]) -> None:
    repository = Repository("abc")
    foretold = put_back(in_order(graph), {}, repository, dry_run=True)
    assert not repository.puts
    assert not repository.images
    done = put_back(in_order(graph), {}, repository)
    backs = {digest for digest, each in done.ended.items() if each.result is Result.BACK}
    assert backs == {digest for digest, each in foretold.ended.items() if each.result is Result.WOULD}


@settings(max_examples=200 if FULL else 12)
@given(seed=st.integers(0, 10_000))
def test_any_graph_that_a_run_deleted_is_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """The whole program: a generated repository, all of it deleted by flags of a policy, and restored."""
    draw = Random(seed)
    home = tmp_path_factory.mktemp("law")
    with Sandbox() as sandbox:
        _delete_and_restore(draw, sandbox, home)


def _delete_and_restore(draw: Random, sandbox: Sandbox, home: Path) -> None:
    shell = Shell(home, sandbox.url)
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    repo = Builder(sandbox)
    for number in range(draw.randint(1, 8)):
        names = list(repo.digests)
        tags = [f"build-{number}-{each}" for each in range(draw.randint(0, 2))]
        if names and draw.random() < 0.4:
            repo.index(f"i{number}", *tags, children=draw.sample(names, min(len(names), draw.randint(1, 3))))
        else:
            repo.image(f"i{number}", *tags, subject=draw.choice(names) if names and draw.random() < 0.4 else None)
    before = state(repo)
    file = home / "policy.json"
    file.write_text(
        '{"version": 1, "policies": [{"rules": [{"name": "all", "match": {"any": true}, "keep": "none"}], '
        '"guards": {"keep_at_least": 0, "keep_tagged": 0}}]}'
    )
    finished = shell("run", "-f", str(file), "--yes")
    assert not repo.repository.images, finished.out + finished.err
    journal = finished.err.rpartition("journal: ")[2].strip()
    restored = shell("restore", journal)
    assert restored.exit == 0, restored.out + restored.err
    assert state(repo) == before
