"""What a journal says of each step, and what is no journal."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from aws_ecr_gc import apply, journal
from aws_ecr_gc.errors import JournalLost, Misuse
from aws_ecr_gc.journal import reading
from aws_ecr_gc.journal.reading import InRepository, Recorded
from aws_ecr_gc.journal.records import Line, Position, body_of, line_of, record_of
from aws_ecr_gc.plan import Action, Outcome, Result
from aws_ecr_gc.ports import Answer, ImageId
from aws_ecr_gc.reference import Repository
from tests.journal.histories import (
    NOW,
    ONE_OF_EACH,
    REGISTRY,
    History,
    Write,
    answering,
    asking,
    beginning,
    closing,
    digest,
    ending,
    failing,
    no_s3,
    planning,
    step,
)
from tests.journal.memory import Memory, written

STEPS = (step(0, "index"), step(1, after=(digest(0),)), step(2, "a", "b"), step(3))
DONE, SKIPPED, FAILED = Result.DONE, Result.SKIPPED, Result.FAILED


def read(*writes: Write) -> Recorded:
    return journal.read(Memory(written(History(list(writes)))), "memory")


def after(*writes: Write) -> InRepository:
    """What is known of a repository with STEPS; its first call is record 2."""
    return read(beginning(), planning("r", *STEPS), *writes).repositories["r"]


def numbers(steps: list[Any]) -> list[int]:
    return [STEPS.index(each) for each in steps]


def refused(content: bytes) -> str:
    with pytest.raises(Misuse) as caught:
        journal.read(Memory(content), "memory")
    (line,) = caught.value.lines
    return line.removeprefix("journal memory: ")


def test_nothing_is_done_before_a_word_is_said() -> None:
    found = after()
    assert numbers(found.remaining()) == [0, 1, 2, 3]
    assert (found.doubtful, found.attempted, found.outcomes) == ([], {}, {})
    assert found.repository == Repository(REGISTRY, "r")
    assert found.inventory.images.keys() == {digest(number) for number in range(4)}


def test_a_call_without_an_answer_is_in_doubt() -> None:
    found = after(asking("r", (2, "a"), (2, "b"), (3, None)))
    assert found.doubtful == [digest(2), digest(3)]
    assert found.attempted == {digest(2): {"a", "b"}, digest(3): set()}
    assert found.removed == {}
    assert numbers(found.remaining()) == [0, 1, 2, 3]


def test_a_call_that_failed_is_in_doubt_until_it_is_known_what_became_of_the_image() -> None:
    failed = (asking("r", (2, "a"), (3, None)), failing("r", 2), ending("r", (2, FAILED), (3, FAILED)))
    assert after(*failed).doubtful == [digest(2), digest(3)]
    found = after(*failed, ending("r", (2, DONE)))
    assert found.doubtful == [digest(3)]
    assert numbers(found.remaining()) == [0, 1, 3]


def test_what_an_answer_leaves_out_is_in_doubt() -> None:
    found = after(asking("r", (2, "a"), (2, "b"), (3, None)), answering("r", 2, (2, "a"), refused=((3, None, "No"),)))
    assert found.doubtful == [digest(2)]
    assert found.removed == {digest(2): {"a"}}


def test_an_image_that_is_not_found_is_gone() -> None:
    found = after(asking("r", (3, None)), answering("r", 2, refused=((3, None, "ImageNotFound"),)))
    assert found.removed == {digest(3): {None}}
    assert found.doubtful == []


def test_an_answer_may_name_what_nobody_asked_for() -> None:
    found = after(asking("r", (3, None)), answering("r", 2, (3, None), (2, "a"), refused=((9, "x", "No"),)))
    assert found.removed == {digest(3): {None}}


def test_what_failed_is_tried_again_and_what_waited_only_for_that() -> None:
    still_needed = (1, SKIPPED, apply.STILL_NEEDED)
    assert numbers(after(ending("r", (0, FAILED), still_needed, (2, DONE))).remaining()) == [0, 1, 3]
    assert numbers(after(ending("r", (0, SKIPPED), still_needed, (2, DONE))).remaining()) == [3]
    assert numbers(after(ending("r", (0, FAILED), (1, SKIPPED, apply.CHANGED), (3, DONE))).remaining()) == [0, 2]
    assert after(ending("r", (0, FAILED), still_needed, (2, DONE))).settled().keys() == {digest(2)}


def test_the_code_of_apply_is_the_one_that_is_known_here() -> None:
    assert reading._STILL_NEEDED == apply.STILL_NEEDED
    assert reading._TAKEN_WHOLE == apply.TAKEN_WHOLE
    assert {apply.NOT_BACK, apply.UNCONFIRMED} == reading._UNSURE


def test_repositories_are_told_apart() -> None:
    found = read(
        beginning(), planning("a", *STEPS), planning("b", *STEPS), asking("a", (3, None)), ending("b", (3, DONE))
    )
    assert list(found.repositories) == ["a", "b"]
    assert (found.repositories["a"].doubtful, found.repositories["b"].doubtful) == ([digest(3)], [])
    assert found.remaining == 7


def test_whether_it_ended_is_known() -> None:
    assert read(beginning()).end is None
    ended = read(beginning(), closing(130, interrupted=True)).end
    assert ended is not None
    assert (ended.exit, ended.interrupted) == (130, True)


def test_an_image_is_shown_once_as_it_was_before_its_first_deletion() -> None:
    found = after(asking("r", (2, "a"), (2, "b"), manifest=b"\x00"), answering("r", 2, (2, "a")), asking("r", (2, "b")))
    assert found.images[digest(2)].tags == ("a", "b")
    assert found.images[digest(2)].manifest == b"\x00"
    assert found.doubtful == [digest(2)]


def test_only_manifests_that_are_not_on_record_are_wanted_and_none_without_restore() -> None:
    for restorable in (True, False):
        place = Memory()
        open_journal = journal.create(place, REGISTRY, clock=lambda: NOW)
        History([beginning(restorable=restorable), planning("r", *STEPS), planning("s", *STEPS)]).play(open_journal)
        both = [digest(2), digest(3)]
        assert open_journal.of("r").wants(both) == (both if restorable else [])
        asking("r", (2, "a"))(open_journal)
        assert open_journal.of("r").wants(both) == (both[1:] if restorable else [])
        assert open_journal.of("s").wants(both) == (both if restorable else [])
        resumed, found = journal.resume(place, "memory")
        assert resumed.of("r").wants(both) == (both[1:] if restorable else [])
        assert found.repositories["r"].images[digest(2)].manifest == (b"{}" if restorable else None)


def test_nothing_is_kept_of_a_repository_that_is_done_with() -> None:
    open_journal = journal.create(Memory(), REGISTRY, clock=lambda: NOW)
    History([beginning(), planning("r", *STEPS), planning("s", *STEPS)]).play(open_journal)
    for name in ("r", "s"):
        asking(name, (2, "a"))(open_journal)
    open_journal.done_with("r")
    assert open_journal.of("r").wants([digest(2)]) == [digest(2)]
    assert open_journal.of("s").wants([digest(2)]) == []


def test_lines_made_in_one_place_one_after_the_other_are_those_made_each_in_its_own() -> None:
    room = bytearray()
    there = here = Position()
    for line in written(ONE_OF_EACH).splitlines(keepends=True):
        record, _ = record_of(line, here)
        made, there = line_of(record, there, room)
        alone, here = line_of(record, here)
        assert bytes(made) == alone == line
        assert there == here
        assert made is room


def test_half_a_surrogate_pair_in_what_aws_says_is_written_all_the_same() -> None:
    found = read(beginning(), planning("r", *STEPS), asking("r", (3, None)), failing("r", 2, "\ud800"))
    assert found.repositories["r"].doubtful == [digest(3)]


IMPOSSIBLE: dict[str, tuple[Write, ...]] = {
    "record 0 is not the beginning of a journal": (planning("r", *STEPS),),
    "record 1 begins it once more": (beginning(), beginning()),
    "record 1 is about a repository without steps": (beginning(), ending("r", (1, DONE))),
    "record 2 gives steps to a repository that has some": (beginning(), planning("r"), planning("r")),
    "record 2 is about an image that no step names": (beginning(), planning("r", *STEPS), asking("r", (7, None))),
    "record 2 answers record 1, which asks": (beginning(), planning("r", *STEPS), answering("r", 1)),
    "record 4 answers record 2, which asks": (
        *(beginning(), planning("r", *STEPS), asking("r", (3, None))),
        *(answering("r", 2), answering("r", 2)),
    ),
    "record 3 answers record 2, which asks": (
        *(beginning(), planning("r", *STEPS), planning("s", *STEPS)),
        answering("r", 2),
    ),
    "record 2 follows the end": (beginning(), closing(), planning("r")),
}


@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_what_no_run_writes_is_refused(said: str) -> None:
    line = refused(written(History(list(IMPOSSIBLE[said]))))
    assert line.startswith(said)
    assert line.endswith("; nothing can be told from it")


def sealed(*bodies: bytes) -> bytes:
    """Lines with these records, and the checks that go with them."""
    content = b""
    position = Position()
    for body in bodies:
        line, position = line_of(Raw(body), position)  # type: ignore[arg-type]  # what is encoded as it is
        content += line
    return content


def altered(at: int, /, **changes: object) -> bytes:
    """The example with a record changed, and sealed as if it had been written so."""
    bodies = [body_of(line) for line in written(ONE_OF_EACH).splitlines()]
    record = {**json.loads(bodies[at]), **changes}
    bodies[at] = json.dumps({name: value for name, value in record.items() if value is not ...}).encode()
    return sealed(*bodies)


def test_another_version_or_format_is_refused() -> None:
    assert "record 0 is of version 2, and this aws-ecr-gc knows 1" in refused(altered(0, version=2, registry=5))
    assert "record 0 is not the beginning of a journal" in refused(altered(0, format="aws-ecr-gc snapshot"))
    assert "record 0 is not the beginning of a journal" in refused(sealed(b"{}"))


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"record": "restored"}),
        (1, {"more": 1}),
        (1, {"steps": None}),
        (2, {"ids": [["sha256:0a"]]}),
        (2, {"images": ...}),
        (4, {"outcomes": [{"digest": "sha256:0a", "result": "perhaps"}]}),
        (0, {"at": -1}),
    ],
)
def test_a_record_of_another_shape_is_refused(number: int, changes: dict[str, object]) -> None:
    assert f"record {number} is none that this aws-ecr-gc knows" in refused(altered(number, **changes))


def test_a_gap_in_the_numbers_is_refused() -> None:
    assert refused(altered(3, number=4)).startswith("record 3 has the number 4")
    assert refused(altered(3, number=2)).startswith("record 3 has the number 2")


def test_an_unchanged_record_sealed_again_is_the_same() -> None:
    content = written(ONE_OF_EACH)
    assert sealed(*(body_of(line) for line in content.splitlines())) == content
    record, behind = record_of(content.splitlines(keepends=True)[0], Position())
    assert (record.number, behind.number) == (0, 1)


def test_garbage_in_the_middle_is_refused() -> None:
    lines = written(ONE_OF_EACH).splitlines(keepends=True)
    for garbage in (b"\n", b"{}\n", b"hello\n", b"\xff" * 200 + b"\n", b"\0" * 200 + b"\n"):
        assert refused(b"".join([*lines[:3], garbage, *lines[3:]])).startswith(("record 3 ", "record 4 "))


def test_a_journal_of_nothing_says_that_nothing_was_deleted() -> None:
    for content in (b"", b'{"check":', written(ONE_OF_EACH)[:100]):
        assert refused(content) == "nothing is on record: it was broken off before anything was deleted"


def test_zeros_where_the_last_line_should_be_are_torn(tmp_path: Path) -> None:
    lines = written(ONE_OF_EACH).splitlines(keepends=True)
    for torn in (b"\0" * 50, lines[-1][:20] + b"\0" * 30 + b"\n"):
        (tmp_path / "j").write_bytes(b"".join(lines[:-1]) + torn)
        found = journal.read(*journal.journal_at(tmp_path / "j", no_s3))
        assert (found.torn, found.position.number) == (len(torn), len(lines) - 1)


class _Interrupted(Memory):
    """Ctrl-C comes in the middle of a line, once."""

    def append(self, number: int, line: Line) -> None:
        if number == 1:
            super().append(number, line[:20])
            raise KeyboardInterrupt
        super().append(number, line)


def test_behind_a_line_that_was_broken_off_nothing_is_written() -> None:
    place = _Interrupted()
    open_journal = journal.create(place, REGISTRY)
    beginning()(open_journal)
    with pytest.raises(KeyboardInterrupt):
        planning("r", *STEPS)(open_journal)
    with pytest.raises(JournalLost, match="its writing was broken off, so nothing more is written"):
        closing()(open_journal)
    assert journal.read(place, "memory").torn == 20


def test_several_threads_may_write_one_journal() -> None:
    place = Memory()
    open_journal = journal.create(place, REGISTRY)
    History([beginning(), *(planning(f"r{number}", *STEPS) for number in range(8))]).play(open_journal)

    def delete(number: int) -> None:
        recorder = open_journal.of(f"r{number}")
        for each in STEPS:
            image_id = ImageId(each.digest, None)
            recorder.answered(recorder.about(Action.DELETE, [image_id], [], {}), Answer((image_id,), ()))
            recorder.outcomes([Outcome(each.digest, DONE)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(delete, range(8)))
    found = journal.read(place, "memory")
    assert found.position.number == 1 + 8 + 8 * 3 * len(STEPS)
    assert (found.remaining, [each.doubtful for each in found.repositories.values()]) == (0, [[]] * 8)
