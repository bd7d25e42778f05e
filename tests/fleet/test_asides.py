"""What one repository has to tell waits for its turn, out of memory where it is much."""

import io
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.app.console import Aside, Console
from aws_ecr_gc.report.spool import Spool

_LINES = st.lists(
    st.builds(lambda text, times: text * times, st.text("ab\u2028é\udcff", max_size=3), st.sampled_from([1, 30_000]))
)
_TOLD = st.lists(st.tuples(st.sampled_from(["print", "say"]), _LINES), max_size=6)


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
    with closing(Spool()) as spool:
        at_once = told(None, what)
        assert at_once[0] == printed
        assert told(spool, what) == at_once
        assert spool.size == 0


def test_a_long_result_waits_out_of_memory_and_a_short_one_in_it() -> None:
    with closing(Spool()) as spool:
        aside = Aside(Console(io.StringIO(), io.StringIO(), lambda: False), lambda: False, spool)
        aside.print(["short"])
        assert spool.size == 0
        aside.print("x" * 100 for _ in range(10_000))
        assert spool.size > 900_000


_WITH_LITTLE_ROOM = """
import io, resource, sys
from aws_ecr_gc.app.console import Aside, Console
from aws_ecr_gc.report.spool import Spool
room, most = int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]
out, spool = io.StringIO(), Spool()
console, asides = Console(out, io.StringIO(), lambda: False), []
expected = []
for number in range(40):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most if number == 30 else room, most))
    lines = [f"{number} {line} {'x' * 80}" for line in range(1000)]
    expected += lines
    asides.append(Aside(console, lambda: False, spool))
    asides[-1].print(lines)
    if number % 7 == 6:
        asides.pop(0).tell()
for each in asides:
    each.tell()
assert out.getvalue() == "".join(f"{line}\\n" for line in expected)
assert spool.size == 0
"""


@pytest.mark.parametrize("room", [0, 700_000, 1_100_000, 1_234_567, 2_000_000])
def test_all_is_told_however_little_room_the_disk_has(room: int) -> None:
    """Files may grow so far; for a while there is room again."""
    command = [sys.executable, "-c", _WITH_LITTLE_ROOM, str(room)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
