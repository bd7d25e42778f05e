"""What `lifecycle lint` found. `schemas/lifecycle-lint.schema.json` is generated from here."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.lifecycle.findings import Finding, Severity


class LintDocument(Struct, forbid_unknown_fields=True):
    """Everything that was found, in the order of places."""

    version: int
    tool: str
    findings: list[Finding]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(LintDocument)


def summary(findings: Sequence[Finding], what: str) -> str:
    """The last line."""
    errors = sum(each.severity is Severity.ERROR for each in findings)
    warnings = len(findings) - errors
    if not findings:
        return f"{what}: ECR takes it, and nothing about it surprises"
    verdict = "ECR refuses it" if errors else "ECR takes it"
    kinds = [f"{count} {kind}{'' if count == 1 else 's'}" for count, kind in ((errors, "error"), (warnings, "warning"))]
    return f"{what}: {verdict}: {', '.join(kinds)}"
