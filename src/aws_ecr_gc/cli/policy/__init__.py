"""`aws-ecr-gc policy ...`: the commands about policy files."""

from collections.abc import Callable, Sequence
from importlib import import_module

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Misuse

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("aws_ecr_gc.cli.policy.check", "find every mistake of a policy file"),
    "schema": ("aws_ecr_gc.cli.policy.schema", "the JSON Schema of policy files, for editors"),
    "show": ("aws_ecr_gc.cli.policy.show", "the effective policy of a repository"),
    "from-flags": ("aws_ecr_gc.cli.policy.from_flags", "the policy file that the original's flags stand for"),
    "test": ("aws_ecr_gc.cli.policy.test", "hold a policy against written cases"),
    "diff": ("aws_ecr_gc.cli.policy.diff", "which images change sides from one policy to another"),
}
"""Name, module, help: as in `cli.main`."""


def parser() -> Parser:
    """The commands."""
    lines = "\n".join(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())
    return Parser("aws-ecr-gc policy", "The commands about policy files.", f"commands:\n{lines}")


def run(arguments: Sequence[str]) -> int:
    """Run the command that is named first."""
    name = arguments[0] if arguments else "--help"
    if name in COMMANDS:
        command: Callable[[Sequence[str]], int] = import_module(COMMANDS[name][0]).run
        return command(arguments[1:])
    if not name.startswith("-"):
        raise Misuse(f"unknown command 'policy {name}'; there are policy {', '.join(COMMANDS)}")
    parser().read(arguments or ["--help"])
    raise Misuse("which command? see aws-ecr-gc policy --help")
