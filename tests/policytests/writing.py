"""Files with cases, as the tests write them."""

from pathlib import Path

import pytest

from aws_ecr_gc.errors import Mistakes
from aws_ecr_gc.policyfile.nodes import plain
from aws_ecr_gc.policyfile.reading import tree_of
from aws_ecr_gc.policytests import CaseFile, CaseJudgement, judge, parse
from tests.policyfile.documents import Plain

HERE = Path(__file__).parent
EXAMPLE = HERE / "example.yaml"

POLICY = """\
version: 1
policies:
  - repositories: {include: "ci/*"}
    rules:
      - {name: builds, match: {prefix: build-}, keep: {newest: 1}}
      - {name: untagged, match: {untagged: true}, keep: {younger_than: 1d}}
    guards: {max_share: 50%}
"""


def example() -> Plain:
    """The example, as plain values."""
    root, _ = tree_of(EXAMPLE.read_bytes(), EXAMPLE)
    assert root is not None
    content = plain(root)
    assert isinstance(content, dict)
    return content


def judgements(file: CaseFile) -> list[CaseJudgement]:
    return [judge(case, policy) for case, policy in file.cases]


def read(directory: Path, text: str, policy: str = POLICY) -> CaseFile:
    """Read cases that stand beside a policy file."""
    (directory / "policy.yaml").write_text(policy)
    return parse(text.encode(), directory / "tests.yaml")


def one_case(directory: Path, case: str, policy: str = POLICY) -> CaseJudgement:
    """Judge the case of these keys."""
    (judgement,) = judgements(read(directory, in_file(case), policy))
    return judgement


def in_file(case: str) -> str:
    return f"version: 1\npolicy: policy.yaml\ncases:\n  - {{name: a, {case}}}\n"


def wrong(directory: Path, text: str, policy: str = POLICY) -> list[str]:
    """The lines about a file with cases."""
    with pytest.raises(Mistakes) as error:
        read(directory, text, policy)
    return [line.removeprefix(f"{directory}/") for line in error.value.lines]
