"""`aws-ecr-gc policy check`: every mistake of a policy file, and of those it extends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, one_line

if TYPE_CHECKING:
    from aws_ecr_gc.policyfile import Mistake


def parser() -> Parser:
    """The file and the flags."""
    made = Parser(
        "aws-ecr-gc policy check",
        "Find every mistake of a policy file, and of the files that it extends. AWS is not asked.",
        "Exit 6 says that there are mistakes.",
    )
    made.word("file", metavar="FILE", help="the policy file: YAML, or by its suffix .json or .toml")
    flags.declare_output(made)
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Print what is wrong, or that nothing is. Raises Misuse for a file that can't be read."""
    given = parser().read(arguments)
    from pathlib import Path

    from aws_ecr_gc.policyfile import PolicyMistakes, load

    path = Path(given.file)
    try:
        policies, rules = load(path).counts
    except PolicyMistakes as error:
        lines = "\n".join(one_line(line) for line in error.lines)
        print(_json(error.mistakes) if given.output == "json" else lines)
        return Exit.FOUND
    summary = f"{path}: {_counted(policies, 'policy', 'policies')}, {_counted(rules, 'rule', 'rules')}: no mistakes"
    print(_json(()) if given.output == "json" else one_line(summary))
    return Exit.DONE


def _json(mistakes: "Sequence[Mistake]") -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode({"mistakes": mistakes}), indent=2).decode()


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
