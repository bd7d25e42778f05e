"""`aws-ecr-gc policy schema`: the JSON Schema of policy files."""

from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit

_OF = {"policy": "policy", "cases": "policytest"}


def parser() -> Parser:
    """Which schema."""
    made = Parser(
        "aws-ecr-gc policy schema",
        "Print the JSON Schema of policy files, with which editors complete and check them.",
        "In YAML, the line `# yaml-language-server: $schema=FILE` at the top names it.",
    )
    made.value("of", choices=list(_OF), default="policy", help="policy files, or cases for policy test")
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Print the schema that the package ships."""
    asked = parser().read(arguments)
    from importlib.resources import files

    print(files("aws_ecr_gc").joinpath("schemas", f"{_OF[asked.of]}.schema.json").read_text("utf-8"), end="")
    return Exit.DONE
