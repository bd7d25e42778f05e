"""Several accounts and regions side by side, and yet one after the other on standard output."""

from collections.abc import Iterable
from threading import RLock

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.report.logs import at_place
from aws_ecr_gc.report.spool import Spool, Stretch


class Turns:
    """Whose lines of the result go out at once: those of the place that began first, until it ends. For all threads.

    Those of the others wait, out of memory, for their turn.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = RLock()
        self._spool = Spool()
        self._kept: dict[PlaceConsole, list[Stretch]] = {}
        self._ended: set[PlaceConsole] = set()

    def begin(self, place: "PlaceConsole", heading: Iterable[str]) -> None:
        """Its turn comes after those that began before. Raises OutputLost."""
        with self._lock:
            self._kept[place] = []
            self.print(place, heading)

    def has_begun(self, place: "PlaceConsole") -> bool:
        """Whether it has begun, and has not ended."""
        with self._lock:
            return place in self._kept and place not in self._ended

    def print(self, place: "PlaceConsole", lines: Iterable[str]) -> None:
        """Lines of a place's result, at once or in its turn. Raises OutputLost."""
        with self._lock:
            if place is self._first:
                self._console.print(lines)
            else:
                self._kept[place].append(self._spool.add_text(lines))

    def end(self, place: "PlaceConsole") -> None:
        """It has no more lines: if it was its turn, it is that of the next. Raises OutputLost."""
        with self._lock:
            self._ended.add(place)
            while (first := self._first) is not None:
                kept, self._kept[first] = self._kept[first], []
                for stretch in kept:
                    self._console.print(self._spool.text(stretch))
                if first not in self._ended:
                    return
                del self._kept[first]
                self._ended.remove(first)

    @property
    def _first(self) -> "PlaceConsole | None":
        return next(iter(self._kept), None)

    def close(self) -> None:
        """Let go of what is kept."""
        self._spool.close()


class PlaceConsole(Console):
    """The console of one account and region: its result waits for its turn, its remarks name it."""

    def __init__(self, console: Console, turns: Turns, place: str) -> None:
        self._console = console
        self._turns = turns
        self._place = place
        self.stop = console.stop

    def begin(self, heading: Iterable[str]) -> None:
        """As `Turns.begin`."""
        self._turns.begin(self, heading)

    @property
    def has_begun(self) -> bool:
        """As `Turns.has_begun`."""
        return self._turns.has_begun(self)

    def end(self) -> None:
        """As `Turns.end`."""
        self._turns.end(self)

    def print(self, lines: Iterable[str]) -> None:
        self._turns.print(self, lines)

    def say(self, line: str) -> None:
        self._console.say(at_place(self._place, line))

    def announce(self, line: str) -> None:
        self._console.announce(at_place(self._place, line))

    def say_once(self, line: str) -> None:
        self._console.say_once(line)

    def show(self, progress: str) -> None:
        self._console.show(f"{self._place}: {progress}")

    def clear(self) -> None:
        self._console.clear()
