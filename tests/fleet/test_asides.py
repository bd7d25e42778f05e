"""What one repository has to tell waits for its turn, out of memory where it is much."""

import io
from collections.abc import Iterable
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.app.console import Aside, Console
from aws_ecr_gc.errors import OutputLost
from aws_ecr_gc.report.parts import Spool, Stretch

_LINES = st.lists(
    st.builds(lambda text, times: text * times, st.text("ab\u2028é", max_size=3), st.sampled_from([1, 30_000]))
)
_TOLD = st.lists(st.tuples(st.sampled_from(["print", "say"]), _LINES), max_size=6)


class _Full(Spool):
    """A disk without room."""

    def add(self, lines: Iterable[bytes]) -> Stretch:
        raise OutputLost(f"a temporary file can't be written: No space left on device {len(list(lines))}")


def told(spool: Spool | None, what: list[tuple[str, list[str]]]) -> tuple[str, str]:
    """What came out, on standard output and on standard error."""
    out, err = io.StringIO(), io.StringIO()
    aside = Aside(Console(out, err, lambda: False), lambda: False, spool)
    for kind, lines in what:
        if kind == "print":
            aside.print(iter(lines))
        else:
            for line in lines:
                aside.say(line)
    assert (out.getvalue(), err.getvalue()) == ("", "")
    aside.tell()
    return out.getvalue(), err.getvalue()


@given(_TOLD)
def test_all_is_told_in_its_order_wherever_it_waited(what: list[tuple[str, list[str]]]) -> None:
    printed = "".join(f"{line}\n" for kind, lines in what if kind == "print" for line in lines)
    with closing(Spool()) as spool, closing(_Full()) as full:
        at_once = told(None, what)
        assert at_once[0] == printed
        assert told(spool, what) == at_once
        assert told(full, what) == at_once


def test_a_long_result_waits_out_of_memory_and_a_short_one_in_it() -> None:
    with closing(Spool()) as spool:
        aside = Aside(Console(io.StringIO(), io.StringIO(), lambda: False), lambda: False, spool)
        aside.print(["short"])
        assert spool.add([]).end == 0
        aside.print("x" * 100 for _ in range(10_000))
        assert spool.add([]).end > 900_000
