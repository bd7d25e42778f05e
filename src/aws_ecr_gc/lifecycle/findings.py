"""What is wrong with a lifecycle policy, or may surprise: where it stands, and how to mend it."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from aws_ecr_gc.errors import Mistakes


class Severity(StrEnum):
    """ECR refuses an ERROR; a WARNING is valid, and may not do what is meant."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing. `path` leads there from the top (`rules[2].selection.countNumber`); lines and columns count from 1.

    `from_aws` says whether the message is ECR's own, as far as it is known. `mend` is empty where the message says it.
    """

    severity: Severity
    check: str
    file: str
    line: int
    column: int
    path: str
    message: str
    from_aws: bool
    mend: str

    def __str__(self) -> str:
        path = f"{self.path}: " if self.path else ""
        mend = f"; {self.mend}" if self.mend else ""
        kind = "" if self.severity is Severity.ERROR else "warning: "
        return f"{self.file}:{self.line}:{self.column}: {kind}{path}{self.message}{mend}"


class LifecycleMistakes(Mistakes):
    """All that ECR would refuse in a policy."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(str(finding) for finding in self.findings)
