"""`policy test` through the command line: what it prints and writes, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.policytests import Case, judge
from aws_ecr_gc.report import judgements
from tests.conftest import Finished, Shell
from tests.policy.repositories import REPOSITORY
from tests.policytests.writing import EXAMPLE, POLICY
from tests.project.test_startup import loaded_by

CASES = """\
version: 1
policy: policy.yaml
cases:
  - name: builds
    repository: ci/web
    at: 2026-01-10
    images:
      - {name: newest, tags: build-1, age: 8d, index_of: child, expect: kept, by: builds}
      - {tags: build-2, age: 9d, expect: kept, by: builds}
      - {name: child, age: 9d, expect: collected}
    guards: max_share
  - name: "colour \\e[31m & <é🙂>"
    repository: web
    at: 2026-01-10
    images: [{age: 9d, expect: kept}]
  - name: right
    repository: web
    at: 2026-01-10
    fits: none
    images: [{age: 9d, expect: kept}]
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "tests.yaml").write_text(CASES)
    return tmp_path


def run(shell: Shell, files: Path, *words: str) -> Finished:
    return shell("policy", "test", str(files / "tests.yaml"), *words)


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - what was written just now


def test_a_case_that_fails_is_shown_with_what_differs(shell: Shell, files: Path) -> None:
    finished = run(shell, files)

    assert (finished.exit, finished.err) == (6, "")
    assert (
        finished.out.replace(f"{files}/", "")
        == """\
FAILED  tests.yaml: builds
  build-2 (line 9): expected kept by builds, found collected
    builds: 2nd of 2; not kept by newest 1
  child (line 10): expected collected, found held
    child-of-index: an index that stays lists it (newest)
  guards: expected max_share, found no refusal
FAILED  tests.yaml: colour \\x1b[31m & <é🙂>
  no policy fits web; if that is meant, write fits: none
ok      tests.yaml: right
3 cases, 2 failed
"""
    )


def test_cases_that_hold_are_counted(shell: Shell) -> None:
    finished = shell("policy", "test", str(EXAMPLE))

    assert (finished.exit, finished.err) == (0, "")
    assert [line[:6] for line in finished.out.splitlines()] == ["ok    "] * 7 + ["7 case"]
    assert finished.out.endswith("\n7 cases, 0 failed\n")


def test_junit_names_every_case_and_what_differs(shell: Shell, files: Path) -> None:
    finished = shell("policy", "test", str(files / "tests.yaml"), str(EXAMPLE), "--output", "junit")
    root = parsed(finished.out)
    first, second = root

    assert finished.exit == 6
    assert finished.out.isascii()
    assert (root.tag, root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == (
        "testsuites",
        "10",
        "2",
        "0",
    )
    assert {float(each.attrib["time"]) >= 0 for each in root.iter() if each.tag != "failure"} == {True}
    assert [(suite.tag, suite.attrib["name"]) for suite in root] == [
        ("testsuite", str(files / "tests.yaml")),
        ("testsuite", str(EXAMPLE)),
    ]
    assert [(suite.attrib["tests"], suite.attrib["failures"]) for suite in root] == [("3", "2"), ("7", "0")]
    assert [case.attrib["name"] for case in first] == ["builds", r"colour \x1b[31m & <é🙂>", "right"]
    assert {case.attrib["classname"] for case in first} == {".".join((files / "tests").parts[1:])}
    assert [len(case) for case in first] == [1, 1, 0]
    assert len(second) == 5
    (failure,) = first[0]
    assert failure.attrib == {
        "message": "build-2 (line 9): expected kept by builds, found collected",
        "type": "difference",
    }
    assert (failure.text or "").splitlines()[-1] == "guards: expected max_share, found no refusal"


@given(st.text(min_size=1))
@example("/")
@example("../..")
@example("\0\ufffe\udc80")
def test_junit_is_xml_whatever_a_name_holds(name: str) -> None:
    case = Case(name, 1, Inventory(REPOSITORY, 0.0, {}), {}, ())
    root = parsed(judgements.junit([judgements.JudgedFile(name, [judgements.Judged(judge(case, None), 0.0)])]))

    assert [each.tag for each in root.iter()] == ["testsuites", "testsuite", "testcase", "failure"]
    assert root[0][0].attrib["classname"]
    if name.isprintable():
        assert root[0][0].attrib["name"] == name


def test_json_holds_every_expectation_and_follows_its_schema(shell: Shell, files: Path) -> None:
    finished = run(shell, files, "--output", "json")
    content = json.loads(finished.out)
    jsonschema.validate(content, judgements.schema())
    builds, coloured, right = content["files"][0]["cases"]

    assert finished.exit == 6
    assert (content["version"], content["cases"], content["failed"]) == (1, 3, 2)
    assert [case["passed"] for case in (builds, coloured, right)] == [False, False, True]
    assert [case["fit_expected"] for case in (builds, coloured, right)] == [True, True, False]
    assert (builds["policy"], coloured["policy"]) == (f"{files}/policy.yaml: policies[0]", None)
    assert (builds["guards"], right["guards"]) == ({"expected": ["max_share"], "refused": [], "passed": False}, None)
    assert [(image["label"], image["line"], image["passed"]) for image in builds["images"]] == [
        ("newest", 8, True),
        ("build-2", 9, False),
        ("child", 10, False),
    ]
    assert builds["images"][1] == {
        **builds["images"][1],
        "tags": ["build-2"],
        "expected": "kept",
        "expected_by": "builds",
        "decision": "collected",
        "reasons": [{"rule": "builds", "detail": "2nd of 2; not kept by newest 1", "via": None}],
    }


@pytest.mark.parametrize("output", ["text", "junit", "json"])
def test_out_takes_the_result_and_a_summary_stays(shell: Shell, files: Path, output: str) -> None:
    path = files / "reports" / "result"
    finished = run(shell, files, "--output", output, "--out", str(path))
    shown = run(shell, files, "--output", output)

    assert (finished.exit, finished.out, finished.err) == (6, "3 cases, 2 failed\n", "")
    assert path.read_text().partition("time=")[0] == shown.out.partition("time=")[0]
    assert [each.name for each in path.parent.iterdir()] == ["result"]


def test_out_that_can_t_be_written_is_said_and_leaves_nothing(shell: Shell, files: Path) -> None:
    finished = run(shell, files, "--out", str(files / "tests.yaml" / "result"))

    assert (finished.exit, finished.out) == (1, "")
    assert finished.err.startswith(f"aws-ecr-gc: {files}/tests.yaml/result: can't be written: ")


def test_all_files_are_read_before_any_case_is_judged(shell: Shell, files: Path) -> None:
    policy = POLICY.replace("newest: 1", "newest: 0")
    (files / "policy.yaml").write_text(policy)
    (files / "more.yaml").write_text(CASES.replace("ci/web", "CI"))
    names = [str(files / name) for name in ("tests.yaml", "more.yaml", "nowhere.yaml")]
    finished = shell("policy", "test", *names, "--out", str(files / "result"))
    places = [line.split(": ")[1].removeprefix(f"{files}/") for line in finished.err.splitlines()]

    assert (finished.exit, finished.out) == (2, "")
    assert places == ["policy.yaml:5:64", "more.yaml:5:17", "nowhere.yaml"]
    assert not (files / "result").exists()


@pytest.mark.parametrize("words", [[], ["--output", "xml"], ["--out"], ["--out", "--output", "x.yaml"]])
def test_a_command_line_that_says_too_little_is_misuse(shell: Shell, words: list[str]) -> None:
    assert shell("policy", "test", *words).exit == 2


def test_no_aws_is_loaded(shell: Shell) -> None:
    loaded = loaded_by(shell, "policy", "test", str(EXAMPLE))

    assert "aws_ecr_gc.policytests.judging" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in {"botocore", "boto3"}}
    assert not loaded & {"aws_ecr_gc.sandbox", "aws_ecr_gc.aws", "http.server"}


def test_the_formats_leave_the_memory_whole(shell: Shell) -> None:
    """msgspec frees what is not its own for a union of a text with a pattern and a list: see `policyfile.shape`."""
    finished = subprocess.run(
        [sys.executable, "-c", "import aws_ecr_gc.policytests"],
        env=shell.with_changes({"PYTHONMALLOC": "debug"}),
        check=False,
        capture_output=True,
    )
    assert finished.returncode == 0, finished.stderr
