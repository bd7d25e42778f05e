"""Lines that wait out of memory."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.report import spool as under_test
from aws_ecr_gc.report.spool import Spool, Stretch

_KEPT = st.lists(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b" ")), max_size=5), max_size=20)


@given(_KEPT, st.randoms(use_true_random=False), st.sampled_from([20, 200, 1 << 20]), st.sampled_from([50, 1 << 20]))
def test_what_was_taken_is_given_back_in_whatever_order_and_then_takes_no_room(
    kept: list[list[bytes]], draw: object, in_memory: int, volume: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, closing(Spool()) as spool:
        patch.setattr(under_test, "_IN_MEMORY", in_memory)
        patch.setattr(under_test, "_VOLUME", volume)
        patch.setattr(under_test, "_AT_ONCE", 30)
        waiting: list[tuple[Stretch, list[bytes]]] = []
        for lines in kept:
            waiting.append((spool.add(iter(lines)), lines))
            if draw.random() < 0.4:  # type: ignore[attr-defined]
                stretch, lines = waiting.pop(draw.randrange(len(waiting)))  # type: ignore[attr-defined] # noqa: PLW2901
                assert list(spool.lines(stretch)) == lines
        draw.shuffle(waiting)  # type: ignore[attr-defined]
        for stretch, lines in waiting:
            assert list(spool.lines(stretch)) == lines
        assert spool.size == 0


def test_files_that_were_read_are_given_back_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_VOLUME", 1000)
    with closing(Spool()) as spool:
        waiting = []
        for number in range(200):
            waiting.append(spool.add([b"x" * 99]))
            if number > 5:
                list(spool.lines(waiting.pop(0)))
            assert spool.size < 5000
