"""`aws-ecr-gc policy from-flags`: the policy file that the original's flags stand for."""

from collections.abc import Sequence

from aws_ecr_gc.cli import flags, options, values
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse


def parser() -> Parser:
    """The original's flags about images."""
    made = Parser(
        "aws-ecr-gc policy from-flags",
        "Print the policy file that these flags stand for. Nothing is called.",
        "The result means the same as the flags: tags of no listed prefix are never deleted.",
    )
    flags.declare_original(made)
    made.value("repo", metavar="NAME", type=values.repository, help="the repository (default: every one)")
    return made


def run(arguments: Sequence[str]) -> Exit:
    """Print the policy file, which was read again for trial. Raises Misuse for flags that no policy stands for."""
    given = parser().read(arguments)
    original = options.original_from(given)
    if not original.keep and not original.delete_untagged:
        raise Misuse("these flags ask for nothing; give --keep or --delete-untagged")
    if given.repo == "":
        raise Misuse("--repo is empty; leave it out for every repository")
    from pathlib import Path

    from aws_ecr_gc.policyfile import dump, parse

    text = dump(original.policy, given.repo or None, original.in_use)
    parse(text.encode(), Path("from-flags.yaml"))
    print(text, end="")
    return Exit.DONE
