"""`aws-ecr-gc policy schema`: the JSON Schema of policy files."""

from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit


def parser() -> Parser:
    """There is nothing to say."""
    return Parser(
        "aws-ecr-gc policy schema",
        "Print the JSON Schema of policy files, with which editors complete and check them.",
        "In YAML, the line `# yaml-language-server: $schema=FILE` at the top names it.",
    )


def run(arguments: Sequence[str]) -> Exit:
    """Print the schema that the package ships."""
    parser().read(arguments)
    from importlib.resources import files

    print(files("aws_ecr_gc").joinpath("schemas", "policy.schema.json").read_text("utf-8"), end="")
    return Exit.DONE
