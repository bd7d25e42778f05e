"""Lines that wait out of memory."""

from contextlib import closing
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.report.spool import Room, Spool, Stretch

_KEPT = st.lists(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b" ")), max_size=5), max_size=20)


@given(_KEPT, st.randoms(use_true_random=False), st.sampled_from([20, 200, 1 << 20]), st.sampled_from([50, 1 << 20]))
def test_what_was_taken_is_given_back_in_whatever_order_and_then_takes_no_room(
    kept: list[list[bytes]], draw: Random, in_memory: int, volume: int
) -> None:
    with closing(Spool(Room(30, in_memory, volume))) as spool:
        waiting: list[tuple[Stretch, list[bytes]]] = []
        for lines in kept:
            waiting.append((spool.add(iter(lines)), lines))
            if draw.random() < 0.4:
                stretch, of_it = waiting.pop(draw.randrange(len(waiting)))
                assert list(spool.lines(stretch)) == of_it
        draw.shuffle(waiting)
        for stretch, lines in waiting:
            assert list(spool.lines(stretch)) == lines
        assert spool.size == 0


def test_files_that_were_read_are_given_back_while_others_wait() -> None:
    with closing(Spool(Room(volume=1000))) as spool:
        waiting = []
        for number in range(200):
            waiting.append(spool.add([b"x" * 99]))
            if number > 5:
                list(spool.lines(waiting.pop(0)))
            assert spool.size < 5000
