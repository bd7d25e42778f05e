"""Commands of two words: `aws-ecr-gc policy check`."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Misuse


class Group:
    """The commands that share a first word. `commands` holds name, module, help: as in `cli.main`."""

    def __init__(self, word: str, description: str, commands: Mapping[str, tuple[str, str]]) -> None:
        self._word = word
        self._description = description
        self._commands = commands

    def parser(self) -> Parser:
        """The commands."""
        lines = "\n".join(f"  {name:<12} {text}" for name, (_, text) in self._commands.items())
        return Parser(f"aws-ecr-gc {self._word}", self._description, f"commands:\n{lines}")

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command that is named first."""
        name = arguments[0] if arguments else "--help"
        if name in self._commands:
            command: Callable[[Sequence[str]], int] = import_module(self._commands[name][0]).run
            return command(arguments[1:])
        if not name.startswith("-"):
            word = self._word
            raise Misuse(f"unknown command '{word} {name}'; there are {word} {', '.join(self._commands)}")
        self.parser().read(arguments or ["--help"])
        raise Misuse(f"which command? see aws-ecr-gc {self._word} --help")
