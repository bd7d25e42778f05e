"""`aws-ecr-gc`: which command was meant, and how it ended."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn, TextIO

from aws_ecr_gc.cli import collect, said
from aws_ecr_gc.errors import Error, Exit, Incomplete, Misuse, OutputLost, one_line

COMMANDS: dict[str, tuple[str, str]] = {
    "plan": ("aws_ecr_gc.cli.plan", "what a policy file would do to which images, and why; nothing is changed"),
    "show": ("aws_ecr_gc.cli.show", "a plan file as text, Markdown or JSON"),
    "apply": ("aws_ecr_gc.cli.apply", "carry out a plan file, as far as it still holds"),
    "restore": ("aws_ecr_gc.cli.restore", "put back what was deleted, by a journal or a backup"),
    "run": ("aws_ecr_gc.cli.run", "delete, archive or untag what a policy file does not keep"),
    "merge": ("aws_ecr_gc.cli.merge", "the results of several machines as one report"),
    "unarchive": ("aws_ecr_gc.cli.unarchive", "take images out of the archive, with what they need"),
    "explain": ("aws_ecr_gc.cli.explain", "why an image stays or goes"),
    "in-use": ("aws_ecr_gc.cli.in_use", "what runs, or may run, which image"),
    "doctor": ("aws_ecr_gc.cli.doctor", "what may be wrong with credentials, pull times, replication, directories"),
    "policy": ("aws_ecr_gc.cli.policy", "policy files: check, schema, show, from-flags, test, diff"),
    "lifecycle": ("aws_ecr_gc.cli.lifecycle", "ECR's own lifecycle policies: simulate, lint, verify, convert, apply"),
    "snapshot": ("aws_ecr_gc.cli.snapshot", "save what repositories hold to one file, to plan from"),
    "iam-policy": ("aws_ecr_gc.cli.iam_policy", "the least-privilege IAM policy for the given flags"),
    "demo": ("aws_ecr_gc.cli.demo", "the main job against the built-in registry stand-in"),
    "sandbox": ("aws_ecr_gc.cli.sandbox", "the registry stand-in: ECR's API on loopback"),
}
"""Name, module, help. A module is imported when its command is called, so that `--help` stays fast."""


_USAGE = (
    "usage: aws-ecr-gc --repo NAME [--region REGION] [--keep PREFIX=N]... [--delete-untagged] [--dry-run]; see --help"
)


def run() -> NoReturn:
    """The process's own command line. Leaves at once: taking a hundred thousand images apart first serves nobody."""
    code = main()
    os._exit(code)  # `main` has written out the streams, and nothing is registered to happen at the end


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; without arguments, the process's own. Returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    said.form = "text"
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the process's life, as what it stands for
    try:
        return _dispatch(words)
    except Incomplete as error:
        _complain(one_line(error))
        _complain(_usage(words))
        return error.exit
    except Error as error:
        for line in error.lines:
            _complain(one_line(line))
        return error.exit
    except KeyboardInterrupt:
        _complain("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _complain("standard output can't be written: Broken pipe")
        return Exit.UNEXPECTED
    except Exception:  # noqa: BLE001 - the outermost frame: a defect is shown whole, and told apart by its exit code
        traceback.print_exc()
        _complain("this is a defect of aws-ecr-gc; please report it with the lines above")
        return Exit.UNEXPECTED
    finally:
        _let_go_of(sys.stdout, sys.stderr)


def _usage(words: list[str]) -> str:
    """How the command that was meant is used."""
    if not words or words[0] not in COMMANDS:
        return _USAGE
    return f"see aws-ecr-gc {' '.join(words[:2] if words[0] in {'policy', 'lifecycle'} else words[:1])} --help"


def _dispatch(words: list[str]) -> int:
    if sys.stdout is None:
        raise OutputLost("standard output is closed")
    code = _command(words)
    sys.stdout.flush()
    return code


def _command(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        module, _ = COMMANDS[words[0]]
        run: Callable[[Sequence[str]], int] = import_module(module).run
        return run(words[1:])
    if words and words[0].partition("=")[0] in {"-f", "--f"}:
        raise Misuse("-f: the command comes first: aws-ecr-gc plan -f FILE, or aws-ecr-gc run -f FILE")
    if words and not words[0].startswith("-"):
        raise Misuse(f"unknown command {words[0]!r}; there are {', '.join(COMMANDS)}, or flags alone: see --help")
    return collect.run(words, summary())


def summary() -> str:
    """The other commands, a line each, for the help."""
    return "\n".join(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())


def _complain(text: str) -> None:
    with suppress(OSError):  # whoever was to read it is gone; the exit code still tells
        print(_line(text), file=sys.stderr, flush=True)


def _line(text: str) -> str:
    if said.form == "text":
        return f"aws-ecr-gc: {text}"
    from aws_ecr_gc.report.logs import log_line

    return log_line(text, said.form, "error")


def _let_go_of(*streams: TextIO | None) -> None:
    """What a stream can't take goes nowhere: the interpreter would complain of it with an exit code of its own."""
    for stream in streams:
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
