"""What came of written cases: as text, as JUnit XML for CI, and as JSON, whose schema is that of the shapes here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
from msgspec import Struct

from aws_ecr_gc.errors import one_line
from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policytests import CaseJudgement, Expect, GuardJudgement, ImageJudgement, losing
from aws_ecr_gc.report import document
from aws_ecr_gc.report.plans import Guarded

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 (fifth edition), 2.2: production Char. A reference to such a character is forbidden as well."""


class Judged(NamedTuple):
    """A case's judgement, and how long it took, in seconds."""

    judgement: CaseJudgement
    seconds: float


class JudgedFile(NamedTuple):
    """All of a file, by the name that it was given with."""

    name: str
    cases: Sequence[Judged]


class ImagePart(Struct, forbid_unknown_fields=True):
    """An image of which something is expected, where it stands, and the decision on it.

    `expected_loses` are the tags that it is to lose, null where they are not looked at; `loses` those that it does.
    """

    label: str
    line: int
    digest: str
    tags: tuple[str, ...]
    expected: Expect
    expected_by: str | None
    expected_loses: list[str] | None
    loses: list[str]
    decision: Verdict
    reasons: list[document.ReasonPart]
    passed: bool


class GuardsPart(Struct, forbid_unknown_fields=True):
    """The guards that are expected to refuse the plan, and those that do."""

    expected: list[str]
    refused: list[Guarded]
    passed: bool


class CasePart(Struct, forbid_unknown_fields=True):
    """A case. `policy` is null where none fits, `guards` where they are not looked at.

    `fit_expected` is whether a policy is to fit at all.
    """

    name: str
    line: int
    repository: str
    at: datetime
    passed: bool
    policy: str | None
    fit_expected: bool
    guards: GuardsPart | None
    images: list[ImagePart]


class FilePart(Struct, forbid_unknown_fields=True):
    """A file with cases."""

    file: str
    cases: list[CasePart]


class JudgementDocument(Struct, forbid_unknown_fields=True):
    """The cases of all files."""

    version: int
    tool: str
    cases: int
    failed: int
    files: list[FilePart]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(JudgementDocument)


def failed(files: Sequence[JudgedFile]) -> int:
    """How many cases failed."""
    return sum(not case.judgement.passed for file in files for case in file.cases)


def summary(files: Sequence[JudgedFile]) -> str:
    """The last line."""
    count = sum(len(file.cases) for file in files)
    return f"{count} {'case' if count == 1 else 'cases'}, {failed(files)} failed"


def lines(files: Sequence[JudgedFile]) -> Iterator[str]:
    """For people: a line for each case, and for one that failed what differs."""
    for file in files:
        for judgement, _ in file.cases:
            yield f"{'ok    ' if judgement.passed else 'FAILED'}  {one_line(f'{file.name}: {judgement.case.name}')}"
            yield from (f"  {line}" for line in _differences(judgement))
    yield summary(files)


def _differences(judgement: CaseJudgement) -> Iterator[str]:
    if not judgement.fit_passed:
        repository = judgement.case.inventory.repository.name
        if judgement.policy is None:
            yield f"no policy fits {repository}; if that is meant, write fits: none"
        else:
            yield f"fits: expected none, found {one_line(judgement.policy)}"
    for image in judgement.images:
        if not image.passed:
            yield from _image_lines(image, judgement.case.labels)
    if judgement.guards is not None and not judgement.guards.passed:
        yield from _guard_lines(judgement.guards)


def _image_lines(judgement: ImageJudgement, labels: Mapping[str, str]) -> Iterator[str]:
    expectation, decision = judgement.expectation, judgement.decision
    looked_at = None if expectation.loses is None else judgement.loses
    found = f"expected {expectation}, found {decision.verdict}{losing(looked_at)}"
    yield one_line(f"{labels[expectation.digest]} (line {expectation.line}): {found}")
    for reason in decision.reasons:
        via = "" if reason.via is None else f" ({labels.get(reason.via, reason.via)})"
        yield f"  {one_line(f'{reason.rule}: {reason.detail}{via}')}"


def _guard_lines(judgement: GuardJudgement) -> Iterator[str]:
    expected = ", ".join(sorted(judgement.expected)) or "no refusal"
    yield f"guards: expected {expected}, found {'these' if judgement.refusals else 'no refusal'}"
    yield from (f"  {refusal.guard}: {refusal.detail}" for refusal in judgement.refusals)


def junit(files: Sequence[JudgedFile]) -> str:
    """The form that CI servers read: a suite for each file. Its letters are ASCII, whatever the names are."""
    root = ET.Element("testsuites", {"name": "aws-ecr-gc policy test", **_counts(files)})
    for file in files:
        suite = ET.SubElement(root, "testsuite", {"name": _xml(file.name), **_counts([file])})
        class_name = _class_name(file.name)
        for judgement, seconds in file.cases:
            attributes = {"classname": class_name, "name": _xml(judgement.case.name), "time": f"{seconds:.3f}"}
            case = ET.SubElement(suite, "testcase", attributes)
            if not judgement.passed:
                found = list(_differences(judgement))
                failure = ET.SubElement(case, "failure", message=_xml(found[0]), type="difference")
                failure.text = _xml("\n".join(found))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "us-ascii").decode("ascii")}'


def _counts(files: Sequence[JudgedFile]) -> dict[str, str]:
    seconds = sum(case.seconds for file in files for case in file.cases)
    return {
        "tests": str(sum(len(file.cases) for file in files)),
        "failures": str(failed(files)),
        "errors": "0",
        "skipped": "0",
        "time": f"{seconds:.3f}",
    }


def _class_name(name: str) -> str:
    """The path with dots, as readers take what stands before the last one for the package."""
    path = PurePath(name)
    return _xml(".".join(part for part in (*path.parent.parts, path.stem) if part.strip("/\\."))) or "cases"


def _xml(text: str) -> str:
    """A text without what XML can't hold: that is spelled as in Python."""
    return _NOT_IN_XML.sub(lambda found: ascii(found[0])[1:-1], text)


def part(files: Sequence[JudgedFile], tool: str) -> JudgementDocument:
    """The document."""
    return JudgementDocument(
        version=1,
        tool=tool,
        cases=sum(len(file.cases) for file in files),
        failed=failed(files),
        files=[FilePart(_whole(file.name), [_case_part(judged.judgement) for judged in file.cases]) for file in files],
    )


def _case_part(judgement: CaseJudgement) -> CasePart:
    case, guards = judgement.case, judgement.guards
    return CasePart(
        name=case.name,
        line=case.line,
        repository=case.inventory.repository.name,
        at=document.moment(case.at),
        passed=judgement.passed,
        policy=None if judgement.policy is None else _whole(judgement.policy),
        fit_expected=not case.unfit,
        guards=None if guards is None else _guards_part(guards),
        images=[_image_part(image, case.labels) for image in judgement.images],
    )


def _guards_part(judgement: GuardJudgement) -> GuardsPart:
    refused = [Guarded(each.guard, each.detail, each.way_round) for each in judgement.refusals]
    return GuardsPart(sorted(judgement.expected), refused, judgement.passed)


def _image_part(judgement: ImageJudgement, labels: Mapping[str, str]) -> ImagePart:
    expectation, decision = judgement.expectation, judgement.decision
    return ImagePart(
        label=labels[expectation.digest],
        line=expectation.line,
        digest=expectation.digest,
        tags=decision.image.tags,
        expected=expectation.expect,
        expected_by=expectation.by,
        expected_loses=None if expectation.loses is None else sorted(expectation.loses),
        loses=sorted(judgement.loses),
        decision=decision.verdict,
        reasons=document.reason_parts(decision),
        passed=judgement.passed,
    )


def _whole(text: str) -> str:
    """A path as text: of bytes that are not UTF-8, the system makes half characters, which JSON can't hold."""
    return text.encode("utf-8", "replace").decode()
