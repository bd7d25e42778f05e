"""Write what is generated from code: JSON Schemas and docs/reference.md. `--check` only tells what is out of date."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.cli import collect
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.main import COMMANDS, summary
from aws_ecr_gc.errors import MEANINGS
from aws_ecr_gc.report import document
from aws_ecr_gc.sandbox import scenario_schema

ROOT = Path(__file__).parent.parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _schema(title: str, schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": _DIALECT, "title": title, **schema}, indent=2) + "\n"


def _reference() -> str:
    exits = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    calls = "\n".join(f"| `{name}` | `{each.action}` | {each.need.value} |" for name, each in PERMISSIONS.items())
    commands = "\n".join(f"| `aws-ecr-gc {name}` | {text} |" for name, (_, text) in COMMANDS.items())
    return f"""# Reference

Generated from the code by `make generate`; a test checks that it is up to date.

## Command line

```text
{_help(collect.parser(summary()))}```

## Other commands

| command | what it is |
|---|---|
{commands}

`iam-policy` takes the flags of the run that the policy is for.

## Exit codes

| code | meaning |
|---|---|
{exits}

Where several apply, the first of 130, 1, 5, 3, 4, 6 wins.

## Calls and permissions

| call | IAM action | when |
|---|---|---|
{calls}

## Schemas

In the repository under `src/`, and in the package: `aws_ecr_gc/schemas/run.schema.json` for the document of
`--output json`, `aws_ecr_gc/schemas/scenario.schema.json` for scenario files of the sandbox.
"""


def _help(parser: Parser) -> str:
    os.environ["COLUMNS"] = "100"  # argparse wraps at the terminal's width
    return parser.format_help()


FILES: dict[str, Callable[[], str]] = {
    "src/aws_ecr_gc/schemas/run.schema.json": lambda: _schema("A run of aws-ecr-gc", document.schema()),
    "src/aws_ecr_gc/schemas/scenario.schema.json": lambda: _schema("A scenario of the sandbox", scenario_schema()),
    "docs/reference.md": _reference,
}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that differ. Returns the exit code."""
    stale = [name for name, make in FILES.items() if _read(ROOT / name) != make()]
    if "--check" not in arguments:
        for name in stale:
            (ROOT / name).write_text(FILES[name]())
            print(f"wrote {name}")
        return 0
    for name in stale:
        print(f"{name} is out of date: run `make generate`", file=sys.stderr)
    return 1 if stale else 0


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
