"""Whatever is written is read back; what is not as it was written is refused, or reported as torn."""

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.errors import Error, Misuse
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.journal import read, relatives_of, resume
from aws_ecr_gc.journal.reading import Recorded
from aws_ecr_gc.journal.records import (
    About,
    Answered,
    AnyRecord,
    Begin,
    End,
    Outcomes,
    Position,
    Steps,
    record_of,
    schema,
)
from aws_ecr_gc.plan import Action, Outcome, Result, Step
from aws_ecr_gc.ports import Answer, ImageId
from tests.journal.histories import NOW, ONE_OF_EACH, History, beginning, digest, histories, image, step
from tests.journal.memory import Memory, written

ROOT = Path(__file__).parents[2]


def records(content: bytes) -> list[AnyRecord]:
    """The records of whole lines, one by one."""
    found = []
    position = Position()
    for line in io.BytesIO(content):
        record, position = record_of(line, position)
        found.append(record)
    return found


def recorded(content: bytes) -> Recorded | None:
    """What is read, or None where it is refused, in one line with the reason."""
    try:
        return read(Memory(content), "memory")
    except Misuse as refused:
        (line,) = refused.lines
        assert line.startswith("journal memory: ")
        return None


class Told:
    """Remembers what a journal was told, as `gist` has it."""

    def __init__(self) -> None:
        self.gist: list[object] = []

    def begin(self, *, restorable: bool, allow_unread: list[str]) -> None:
        self.gist.append(("begin", restorable, tuple(allow_unread)))

    def steps(self, repository: str, steps: Iterable[Step], relatives: Iterable[Image], *, taken_at: float) -> None:
        self.gist.append((repository, tuple(steps), tuple(relatives), taken_at))

    def of(self, repository: str) -> "Told":
        self.gist.append(repository)
        return self

    def about(self, action: Action, ids: list[ImageId], images: Iterable[Image], manifests: dict[str, bytes]) -> None:  # noqa: ARG002
        self.gist.append((action, tuple(ids)))

    def answered(self, about: int, answer: Answer | Error) -> None:
        failed = (answer.code, str(answer)) if isinstance(answer, Error) else None
        self.gist.append((about, None if failed else answer, failed))

    def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        self.gist.append(tuple(outcomes))

    def end(self, exit_code: int, *, interrupted: bool) -> None:
        self.gist.append((exit_code, interrupted))


def gist(record: AnyRecord) -> Iterator[object]:
    """What a journal was told, for a record to be made."""
    match record:
        case Begin():
            yield "begin", record.restorable, record.allow_unread
        case Steps():
            yield record.repository, record.steps, record.relatives, record.taken_at
        case About():
            yield from (record.repository, (record.action, record.ids))
        case Answered():
            failed = record.failed and (record.failed.code, record.failed.text)
            answer = None if failed else Answer(record.done, record.refused)
            yield from (record.repository, (record.about, answer, failed))
        case Outcomes():
            yield from (record.repository, record.outcomes)
        case End():
            yield record.exit, record.interrupted


@pytest.fixture(scope="module")
def whole() -> bytes:
    return written(ONE_OF_EACH)


@given(histories())
def test_whatever_is_written_is_read_back(history: History) -> None:
    content = written(history)
    assert len(records(content)) == len(history.writes)
    assert all(each.number == number and each.at == NOW for number, each in enumerate(records(content)))
    found = recorded(content)
    assert found is not None
    assert (found.torn, found.resumed, found.position.length) == (0, 0, len(content))
    told = Told()
    history.play(told)
    assert [each for record in records(content) for each in gist(record)] == told.gist
    for name, of_it in found.repositories.items():
        said = [each for each in records(content) if getattr(each, "repository", None) == name]
        assert of_it.planned == said[0]
        assert of_it.outcomes == {
            one.digest: one for each in said if isinstance(each, Outcomes) for one in each.outcomes
        }
        seen = [one for each in said if isinstance(each, About) for one in each.images]
        assert of_it.images == {one.digest: one for one in seen}
        assert len(of_it.images) == len(seen), "each once"
        deleted = [
            one for each in said if isinstance(each, About) and each.action is not Action.UNTAG for one in each.images
        ]
        assert found.begin.restorable or not any(one.manifest for one in deleted)


@given(histories())
def test_what_remains_is_what_has_no_final_word_and_what_is_in_doubt_has_neither_answer_nor_word(
    history: History,
) -> None:
    content = written(history)
    found = recorded(content)
    assert found is not None
    for name, of_it in found.repositories.items():
        said = [each for each in records(content) if getattr(each, "repository", None) == name]
        remaining = {each.digest for each in of_it.remaining()}
        assert remaining | of_it.settled().keys() == {each.digest for each in of_it.planned.steps}
        assert not remaining & of_it.settled().keys()
        assert all(of_it.outcomes[each].result is Result.FAILED for each in remaining & of_it.outcomes.keys())
        answered = {each.about for each in said if isinstance(each, Answered) and each.failed is None}
        last_call = {one: each.number for each in said if isinstance(each, About) for one in each.ids}
        unanswered = {one.digest for one, number in last_call.items() if number not in answered}
        words = [one for each in said if isinstance(each, Outcomes) for one in each.outcomes]
        ended = {one.digest for one in words if one.result is not Result.FAILED}
        assert unanswered - ended <= set(of_it.doubtful)
        assert set(of_it.doubtful) <= of_it.attempted.keys()


def test_every_kind_of_record_is_in_the_example(whole: bytes) -> None:
    kinds = {json.loads(line)["record"] for line in whole.splitlines()}
    assert kinds == {"begin", "steps", "about", "answered", "outcomes", "end"}
    place = Memory(whole)
    resume(place, "memory", clock=lambda: NOW)
    assert json.loads(place.content.splitlines()[-1])["record"] == "resumed"


def test_every_line_fits_the_schema(whole: bytes) -> None:
    shape = json.loads((ROOT / "src/aws_ecr_gc/schemas/journal.schema.json").read_text())
    assert shape["$defs"] == json.loads(json.dumps(schema()))["$defs"]
    jsonschema.Draft202012Validator.check_schema(shape)
    place = Memory(whole)
    resume(place, "memory", clock=lambda: NOW)
    for line in place.content.splitlines():
        jsonschema.validate(json.loads(line), shape)


def test_cut_anywhere_it_is_read_up_to_there(whole: bytes) -> None:
    ends = [0, *(at + 1 for at, letter in enumerate(whole) if letter == ord("\n"))]
    for length in range(len(whole) + 1):
        complete = max(end for end in ends if end <= length)
        found = recorded(whole[:length])
        if complete == 0:
            assert found is None, "nothing is on record"
            continue
        assert found is not None
        assert found.position.length == complete
        assert found.position.number == ends.index(complete)
        assert found.torn == length - complete


def is_a_beginning_of(whole: bytes, changed: bytes) -> bool:
    """Whether a changed journal is refused, or read as an earlier state of itself with what is torn reported."""
    found = recorded(changed)
    if found is None:
        return True
    length = found.position.length
    return (
        changed[:length] == whole[:length]
        and whole[length - 1 : length] == b"\n"
        and len(changed) - length == found.torn
    )


def test_a_flipped_bit_never_gives_another_meaning(whole: bytes) -> None:
    last = whole.rindex(b"\n", 0, -1) + 1
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        assert is_a_beginning_of(whole, bytes(changed)), at
        assert at >= last or recorded(bytes(changed)) is None, "only the last line can be taken for a torn one"


@given(at=st.integers(0, 1 << 16), put_in=st.binary(max_size=30), taken_out=st.integers(0, 60))
def test_bytes_put_in_or_taken_out_never_give_another_meaning(
    whole: bytes, at: int, put_in: bytes, taken_out: int
) -> None:
    at %= len(whole) + 1
    assert is_a_beginning_of(whole, whole[:at] + put_in + whole[at + taken_out :])


@given(st.data())
def test_lines_that_are_dropped_repeated_or_in_another_order_are_refused(whole: bytes, data: st.DataObject) -> None:
    lines = whole.splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=len(lines) + 2))
    found = recorded(b"".join(lines[each] for each in order))
    assert (found is not None) == (order == list(range(len(order))))


@given(histories(), histories())
def test_two_journals_are_never_mixed(one: History, other: History) -> None:
    first, second = written(one).splitlines(keepends=True), written(other).splitlines(keepends=True)
    for at in range(1, min(len(first), len(second))):
        assert recorded(b"".join([*first[:at], *second[at:]])) is None


@given(st.binary(max_size=300))
def test_a_file_of_anything_is_refused(anything: bytes) -> None:
    assert recorded(anything) is None


@given(histories(), st.integers(0, 1 << 16))
def test_resuming_goes_on_behind_the_last_whole_record(history: History, torn_at: int) -> None:
    content = written(history)
    lines = content.splitlines(keepends=True)
    kept = b"".join(lines[:-1]) + lines[-1][: torn_at % len(lines[-1])] if len(lines) > 1 else content
    before = recorded(kept)
    place = Memory(kept)
    _, found = resume(place, "memory", clock=lambda: NOW)
    after = recorded(place.content)
    assert before is not None
    assert after is not None
    assert found.position == before.position
    assert (after.position.number, after.resumed, after.torn) == (before.position.number + 1, 1, 0)
    assert after.end is None
    assert place.content.startswith(content[: before.position.length])


def test_the_relatives_of_a_step_are_all_that_can_come_between_a_use_and_it() -> None:
    images = {
        each.digest: each
        for each in [
            image(1, "index", children=(digest(2), digest(3))),
            image(2),
            image(3),
            image(4, subject=digest(3)),
            image(5, "outer", children=(digest(1), digest(99))),
            image(6, "unrelated", children=(digest(7),)),
            image(7),
            Image(digest(8), NOW, ("archived",), None, children=None),
        ]
    }
    for number in range(1, 6):
        found = relatives_of([step(number)], images)
        assert {each.digest for each in found} == {digest(each) for each in range(1, 6)}
    assert relatives_of([step(8), step(98)], images) == [images[digest(8)]]


def test_a_hundred_thousand_steps_are_one_line() -> None:
    steps = [step(number, f"v{number}") for number in range(100_000)]
    images = {each.digest: image(number, *each.tags) for number, each in enumerate(steps)}
    content = written(
        History([beginning(), lambda journal: journal.steps("r", steps, relatives_of(steps, images), taken_at=NOW)])
    )
    assert content.count(b"\n") == 2
    found = recorded(content)
    assert found is not None
    assert found.repositories["r"].remaining() == steps
    assert found.repositories["r"].inventory.images == images
