"""Write what is generated from code: JSON Schemas and docs/reference.md. `--check` only tells what is out of date."""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from aws_ecr_gc import journal, planfile, policyfile, policytests
from aws_ecr_gc.aws.permissions import PERMISSIONS
from aws_ecr_gc.cli import collect, lifecycle, policy
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.cli.main import COMMANDS, summary
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.errors import MEANINGS
from aws_ecr_gc.report import (
    checks,
    differences,
    document,
    explanations,
    fleets,
    forecasts,
    judgements,
    merged,
    plans,
    restorations,
    unarchived,
    uses,
)
from aws_ecr_gc.report.lifecycle import changes, conversions, findings, health, simulations, verifications
from aws_ecr_gc.sandbox import scenario_schema

ROOT = Path(__file__).parent.parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _schema(title: str, shape: Callable[[], dict[str, Any]]) -> str:
    return json.dumps({"$schema": _DIALECT, "title": title, **shape()}, indent=2) + "\n"


def _reference() -> str:
    exits = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    calls = "\n".join(f"| `{name}` | `{each.action}` | {each.need.value} |" for name, each in PERMISSIONS.items())
    sources = "\n".join(
        f"| `{name}` | {', '.join(each.services)} | {', '.join(f'`{action}`' for action in each.actions)} |"
        for name, each in SOURCES.items()
    )
    schemas = "\n".join(f"| `{name}.schema.json` | {title} |" for name, (title, _) in SCHEMAS.items())
    return f"""# Reference

Generated from the code by `make generate`; a test checks that it is up to date.

## The original's command line

```text
{_help(collect.parser(summary()))}```

{_commands("aws-ecr-gc", COMMANDS)}
{_commands("aws-ecr-gc policy", policy.COMMANDS)}
{_commands("aws-ecr-gc lifecycle", lifecycle.COMMANDS)}
## Exit codes

| code | meaning |
|---|---|
{exits}

Where several apply, the first of 130, 1, 5, 3, 4, 6 wins.

## Calls and permissions

| call | IAM action | when |
|---|---|---|
{calls}

## Sources of what is in use

| source | services | IAM actions |
|---|---|---|
{sources}

## Schemas

In the repository under `src/aws_ecr_gc/schemas/`, and in the package.

| schema | of |
|---|---|
{schemas}
"""


def _commands(before: str, commands: dict[str, tuple[str, str]]) -> str:
    return "\n".join(
        f"## {before} {name}\n\n```text\n{_help(import_module(module).parser())}```\n"
        for name, (module, _) in commands.items()
    )


def _help(parser: Parser) -> str:
    os.environ["COLUMNS"] = "100"  # argparse wraps at the terminal's width
    return parser.format_help()


SCHEMAS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "policy": ("A policy file of aws-ecr-gc", policyfile.schema),
    "policytest": ("Cases for a policy", policytests.schema),
    "run": ("A run of aws-ecr-gc", document.schema),
    "plan": ("Plans under a policy, and how they were carried out", plans.schema),
    "fleet": ("Plans over several accounts and regions, and how they were carried out", fleets.schema),
    "merged": ("The results of several machines as one", merged.schema),
    "plan-file": ("A plan file of aws-ecr-gc", planfile.schema),
    "forecast": ("Forecasts under a policy", forecasts.schema),
    "explanation": ("The explanation of one decision", explanations.schema),
    "policytest-result": ("How cases for a policy ended", judgements.schema),
    "doctor": ("What doctor found", checks.schema),
    "restoration": ("What was put back", restorations.schema),
    "unarchive": ("What came out of the archive", unarchived.schema),
    "journal": ("One record of a journal of aws-ecr-gc", journal.schema),
    "in-use": ("What is in use, by image and by workload", uses.schema),
    "difference": ("What changes sides from one policy to another", differences.schema),
    "lifecycle-simulation": ("What a lifecycle policy of ECR does", simulations.schema),
    "lifecycle-lint": ("What is wrong with a lifecycle policy, or may surprise", findings.schema),
    "lifecycle-verification": ("The simulator beside ECR's own preview", verifications.schema),
    "lifecycle-conversion": ("A policy in the other language", conversions.schema),
    "lifecycle-changes": ("How lifecycle policies were put", changes.schema),
    "lifecycle-report": ("How repositories fare with their lifecycle policies", health.schema),
    "scenario": ("A scenario of the sandbox", scenario_schema),
}

FILES: dict[str, Callable[[], str]] = {
    **{
        f"src/aws_ecr_gc/schemas/{name}.schema.json": partial(_schema, title, shape)
        for name, (title, shape) in SCHEMAS.items()
    },
    "docs/reference.md": _reference,
}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check name those that differ. Returns the exit code."""
    outdated = [name for name, make in FILES.items() if _read(ROOT / name) != make()]
    if "--check" not in arguments:
        for name in outdated:
            (ROOT / name).write_text(FILES[name]())
            print(f"wrote {name}")
        return 0
    for name in outdated:
        print(f"{name} is out of date: run `make generate`", file=sys.stderr)
    return 1 if outdated else 0


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
