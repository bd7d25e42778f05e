"""`aws-ecr-gc lifecycle ...`: the commands about ECR's own lifecycle policies."""

from collections.abc import Callable, Sequence
from importlib import import_module

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Misuse

COMMANDS: dict[str, tuple[str, str]] = {
    "simulate": ("aws_ecr_gc.cli.lifecycle.simulate", "which image expires or is archived by which rule, and when"),
    "lint": ("aws_ecr_gc.cli.lifecycle.lint", "what ECR would refuse, and what may surprise"),
    "verify": ("aws_ecr_gc.cli.lifecycle.verify", "the simulator beside ECR's own preview, image by image"),
    "import": ("aws_ecr_gc.cli.lifecycle.import_", "the policy file that comes closest to a lifecycle policy"),
    "export": ("aws_ecr_gc.cli.lifecycle.export", "the lifecycle policy that comes closest to a policy file"),
    "apply": ("aws_ecr_gc.cli.lifecycle.apply", "put one lifecycle policy on many repositories, or remove theirs"),
    "report": ("aws_ecr_gc.cli.lifecycle.report", "repositories without a policy, near their limit, or with idle ones"),
}
"""Name, module, help: as in `cli.main`."""


def parser() -> Parser:
    """The commands."""
    lines = "\n".join(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())
    return Parser("aws-ecr-gc lifecycle", "The commands about ECR's own lifecycle policies.", f"commands:\n{lines}")


def run(arguments: Sequence[str]) -> int:
    """Run the command that is named first."""
    name = arguments[0] if arguments else "--help"
    if name in COMMANDS:
        command: Callable[[Sequence[str]], int] = import_module(COMMANDS[name][0]).run
        return command(arguments[1:])
    if not name.startswith("-"):
        raise Misuse(f"unknown command 'lifecycle {name}'; there are lifecycle {', '.join(COMMANDS)}")
    parser().read(arguments or ["--help"])
    raise Misuse("which command? see aws-ecr-gc lifecycle --help")
