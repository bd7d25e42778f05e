"""`plan --forecast` on the wire."""

import json
import time
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.report import forecasts
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Shell
from tests.wire.builder import DAY, Builder
from tests.wire.policies import BUILDS, besides_announcements, policy, policy_file, untouched

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]


def fill(sandbox: Sandbox, name: str) -> None:
    repo = Builder(sandbox, name)
    now = time.time()
    for day in range(10):
        repo.image(f"{name}-{day}", f"build-{day}", pushed_at=now - day * DAY - 60)
    repo.image("child", pushed_at=now - 3 * DAY)
    repo.index("index", "build-index", children=["child"], pushed_at=now - 2.5 * DAY)


def test_each_repository_has_a_table_and_those_that_no_policy_fits_are_named(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b", "misc"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}))
    finished = shell("plan", "-f", file, "--forecast", "90d")
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])
    assert finished.out.count("Forecast for ci/") == 2
    assert finished.out.count("(12 images) comes again every 30d, and a run deletes every 7d12h") == 2
    assert finished.out.endswith("Left alone, for no policy fits (1): misc\n")


def test_the_document_fits_its_schema_and_grows_only_without_the_policy(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    document = json.loads(shell("plan", "-f", file, "--forecast", "60d", "--output", "json").out)
    jsonschema.validate(document, forecasts.schema())
    (found,) = document["repositories"]
    assert (found["pushed_in_window"], found["window_seconds"]) == (12, 30 * DAY)
    assert len(found["points"]) == 13
    assert {point["images"] for point in found["points"]} <= {2, 3, 4}
    assert found["points"][-1]["images_without_policy"] == 36
    assert found["points"][-1]["size_without_policy"] == 36 * 2500 - 3 * 2500


def test_another_time_moves_the_window(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    words = ("plan", "-f", file, "--forecast", "30d", "--output", "json")
    (later,) = json.loads(shell(*words, "--at", "2040-01-01").out)["repositories"]
    assert later["pushed_in_window"] == 0
    assert later["points"][0]["at"] == "2040-01-01T00:00:00Z"
    assert len({point["images"] for point in later["points"]}) == 1


def test_a_repository_that_cannot_be_read_is_named_and_the_others_are_forecast(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b"):
        fill(sandbox, name)

    def fail(_request: object) -> None:
        raise ServiceError("ServerException", "a server-side issue")

    sandbox.before("DescribeImages", fail)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("plan", "-f", file, "--forecast", "30d", "--output", "json")
    document = json.loads(finished.out)
    jsonschema.validate(document, forecasts.schema())
    assert finished.exit == 3
    assert [each["repository"]["name"] for each in document["repositories"]] == ["ci/b"]
    assert [each["repository"] for each in document["unread"]] == ["ci/a"]


def test_the_last_day_that_a_calendar_has_is_no_defect(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    assert shell("plan", "-f", file, "--at", "9999-12-31").exit == 0
    assert shell("plan", "-f", file, "--at", "9999-12-31", "--forecast", "90d").exit == 2


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_a_time_that_has_no_date_in_utc_is_exit_2(sandbox: Sandbox, shell: Shell, tmp_path: Path, at: str) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    assert shell("plan", "-f", file, "--at", at, "--output", "json").exit == 2
