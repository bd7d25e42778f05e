"""Command lines as Go's flag package reads them, for the original's users.

One dash or two; `--flag=value` or `--flag value`; a boolean stands alone or takes its value after `=`, and never
swallows the next word. Source: the documentation of Go's package flag, "Command line flag syntax". Unlike there, a
word that is no flag is refused and does not silently end the flags: what stands after it would be ignored.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import NoReturn

from aws_ecr_gc.errors import Misuse

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def boolean(text: str) -> bool:
    """A boolean value as Go spells it."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _stated(text: str) -> str:
    """A text that is not empty and does not look like the next flag: `--state-dir $UNSET --dry-run` must not delete."""
    if not text or text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{text!r} can't be meant: is the value missing?")
    return text


class Parser(argparse.ArgumentParser):
    """argparse, reading Go's syntax. Flags are declared with `value` and `switch`; errors raise Misuse."""

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            add_help=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._takes_value: dict[str, bool] = {"h": False, "help": False}
        self._takes_words = False
        self.add_argument("-h", "--help", action="help", help="show this help")

    def value(self, name: str, *, guarded: bool = False, **settings: object) -> None:
        """Declare `--name VALUE`. Where the value may be any text, `guarded` refuses what a forgotten one would be."""
        self._takes_value[name] = True
        if guarded:
            settings["type"] = _stated
        self.add_argument(_spelled(name), **settings)  # type: ignore[arg-type]  # argparse's own keywords, passed through

    def word(self, name: str, **settings: object) -> None:
        """Declare a word that stands without a flag, such as a file; what is declared first comes first."""
        self._takes_words = True
        self.add_argument(name, **settings)  # type: ignore[arg-type]  # as in `value`

    def switch(self, name: str, text: str) -> None:
        """Declare `--name[=true|false]`, false by default."""
        self._takes_value[name] = False
        self.add_argument(f"--{name}", type=boolean, default=False, metavar="=BOOL", nargs="?", const=True, help=text)

    def action(self, name: str, **settings: object) -> None:
        """Declare a flag that acts at once, such as --version."""
        self._takes_value[name] = False
        self.add_argument(f"--{name}", **settings)  # type: ignore[arg-type]  # as in `value`

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The values of a command line. Raises Misuse with one line for anything that can't be understood."""
        return self.parse_args(canonical(arguments, self._takes_value, self.prog, takes_words=self._takes_words))

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message}; see {self.prog} --help")


def canonical(
    arguments: Sequence[str], takes_value: Mapping[str, bool], prog: str = "aws-ecr-gc", *, takes_words: bool = False
) -> list[str]:
    """The same command line with two dashes and an equals sign everywhere, one letter with one dash.

    `takes_value` names the flags there are. The words that are no flags come last, behind `--`.
    """
    found: list[str] = []
    words: list[str] = []
    waiting = list(reversed(arguments))
    while waiting:
        word = waiting.pop()
        if word == "--" and not waiting:
            break
        name, equals, value = word.lstrip("-").partition("=")
        dashes = len(word) - len(word.lstrip("-"))
        if takes_words and (dashes == 0 or word == "-"):
            words.append(word)
            continue
        if dashes == 0 or word in {"-", "--"}:
            raise Misuse(
                f"unexpected argument {waiting.pop() if word == '--' else word!r}: flags begin with a dash, "
                f"and a boolean takes its value as --flag=false{_file_hint(takes_value)}"
            )
        if dashes > 2 or not name:
            raise Misuse(f"{word}: bad flag syntax")
        if name not in takes_value:
            raise Misuse(f"unknown option {_spelled(name)}{_similar(name, takes_value)}; see {prog} --help")
        if takes_value[name] and not equals:
            if not waiting:
                raise Misuse(f"{_spelled(name)} needs a value")
            value, equals = waiting.pop(), "="
        if len(name) == 1 and equals:
            # argparse takes no value that begins with a dash here; nobody means one.
            found += [_spelled(name), _stated_for(name, value)]
        else:
            found.append(f"--{name}{equals}{value}" if name != "h" else "--help")
    return [*found, "--", *words] if words else found


def _spelled(name: str) -> str:
    """A flag as help shows it: one letter with one dash."""
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _stated_for(name: str, value: str) -> str:
    if not value or value.startswith("-"):
        raise Misuse(f"{_spelled(name)} {value!r}: can't be meant: is the value missing?")
    return value


def _file_hint(names: Mapping[str, bool]) -> str:
    return "; the policy file is -f FILE" if "f" in names else ""


def _similar(name: str, names: Mapping[str, bool]) -> str:
    if name in {"file", "policy"} and "f" in names:
        return "; did you mean -f?"
    from difflib import get_close_matches

    close = get_close_matches(name, names, 1)
    return f"; did you mean --{close[0]}?" if close else ""
