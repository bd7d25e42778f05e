"""`aws-ecr-gc`: which command was meant, and how it ended."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module

from aws_ecr_gc.cli import collect
from aws_ecr_gc.errors import Error, Exit, Incomplete, Misuse

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("aws_ecr_gc.cli.demo", "the main job against the built-in registry stand-in"),
    "iam-policy": ("aws_ecr_gc.cli.iam_policy", "the least-privilege IAM policy for the given flags"),
    "sandbox": ("aws_ecr_gc.cli.sandbox", "the registry stand-in: ECR's API on loopback"),
}
"""Name, module, help. A module is imported when its command is called, so that `--help` stays fast."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; without arguments, the process's own. Returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _dispatch(words)
    except Incomplete as error:
        _complain(
            f"{error}\nusage: aws-ecr-gc --repo NAME [--region REGION] [--keep PREFIX=N]... [--delete-untagged] "
            "[--dry-run]; see --help"
        )
        return error.exit
    except Error as error:
        _complain(str(error))
        return error.exit
    except KeyboardInterrupt:
        _complain("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the result is gone: nothing more can be said there, not even by the interpreter as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _complain("standard output was closed")
        return Exit.UNEXPECTED
    except Exception:  # noqa: BLE001 - the outermost frame: a defect is shown whole, and told apart by its exit code
        traceback.print_exc()
        _complain("this is a defect of aws-ecr-gc; please report it with the lines above")
        return Exit.UNEXPECTED


def _dispatch(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        module, _ = COMMANDS[words[0]]
        run: Callable[[Sequence[str]], int] = import_module(module).run
        return run(words[1:])
    if words and not words[0].startswith("-"):
        raise Misuse(f"unknown command {words[0]!r}; there are {', '.join(COMMANDS)}, or flags alone: see --help")
    return collect.run(words, summary())


def summary() -> str:
    """The other commands, a line each, for the help."""
    return "\n".join(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())


def _complain(text: str) -> None:
    print(f"aws-ecr-gc: {text}", file=sys.stderr)
