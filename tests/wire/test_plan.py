"""`plan` on the wire: what it prints, what it calls, what one repository's trouble means for the others."""

import json
import signal
import time
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.report import plans
from aws_ecr_gc.sandbox import Faults, Sandbox
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Shell
from tests.wire.builder import DAY, Builder
from tests.wire.policies import (
    BUILDS,
    NONE,
    UNTAGGED,
    besides_announcements,
    going,
    operations,
    policy,
    policy_file,
    untouched,
)
from tests.wire.test_bad_input import one_line
from tests.wire.test_interruption import Started
from tests.wire.test_run import killed_between_index_and_child, with_stdout

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]


def fill(sandbox: Sandbox, name: str, images: int = 3) -> Builder:
    """A repository with `images` images, build-0 to build-N, oldest first."""
    repo = Builder(sandbox, name)
    for number in range(images):
        repo.image(f"{name}-{number}", f"build-{number}")
    return repo


def test_the_text_says_what_goes_and_why_and_how_much_stays(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = fill(sandbox, "ci/web")
    repo.image("child")
    repo.index("index", "build-index", children=["child"], pushed_at=1_480_000_000.0)
    repo.image("signature", subject="ci/web-0")
    repo.image("other", "v1")
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}))
    short = {name: digest[:16] for name, digest in repo.digests.items()}
    finished = shell("plan", "-f", file)
    assert finished.out == (
        "Total images in ci/web (us-east-1): 7\n"
        f"Policy: {file}: policies[0]\n"
        "Images to delete (4), at most 6.0 kB\n"
        f"  2017-03-26 08:53:20: {short['signature']}... []\n"
        f"    goes-with-subject: its subject goes ({short['ci/web-0']}...)\n"
        f"  2017-03-24 08:53:20: {short['child']}... []\n"
        f"    goes-with-index: an index that lists it goes ({short['index']}...)\n"
        f"  2017-03-21 08:53:20: {short['ci/web-0']}... [build-0]\n"
        "    builds: 3rd of 4; not kept by newest 2\n"
        f"  2016-11-24 15:06:40: {short['index']}... [build-index]\n"
        "    builds: 4th of 4; not kept by newest 2\n"
        "Images that stay (3), by their first reason\n"
        "  builds: 2\n"
        "  unmatched-tag: 1\n"
    )
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])


def test_repositories_have_a_sum_and_those_that_no_policy_fits_are_named(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b/c", "misc", "other/x"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}))
    finished = shell("plan", "-f", file, "--concurrency", "1")
    assert finished.out.endswith(
        "To delete in 2 repositories: 2 images, at most 5.0 kB\nLeft alone, for no policy fits (2): misc, other/x\n"
    )
    once = ["DescribePullThroughCacheRules", "DescribeRepositoryCreationTemplates", "DescribeRegistry"]
    asked = operations(sandbox)
    assert sorted(asked) == sorted(["DescribeRepositories", "DescribeImages", *once, "DescribeImages"])
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    assert document["left_alone"] == ["misc", "other/x"]
    assert [part["repository"]["name"] for part in document["repositories"]] == ["ci/a", "ci/b/c"]


def test_the_document_fits_its_schema_and_names_every_image_once(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "ci/web")
    repo.image("archived", "build-9")
    repo.repository.archive(repo.digests["archived"])
    sandbox.registry().create_repository("ci/empty")
    sandbox.registry().create_repository("misc")
    guarded = policy(BUILDS, repositories={"include": "ci/*"}, guards={"max_delete": 0})
    file = policy_file(tmp_path / "p.json", guarded)
    finished = shell("plan", "-f", file, "--output", "json")
    document = json.loads(finished.out)
    jsonschema.validate(document, plans.schema())
    empty, web = document["repositories"]
    assert {image["digest"] for image in web["images"]} == set(repo.digests.values())
    assert len(web["images"]) == 4
    assert going(document) == {"ci/empty": set(), "ci/web": {repo.digests["ci/web-0"]}}
    assert web["counts"] == {
        "active": 3,
        "archived": 1,
        "to_delete": 1,
        "to_archive": 0,
        "to_untag": 0,
        "deleted": 0,
        "moved_to_archive": 0,
        "untagged": 0,
        "skipped": 0,
        "failed": 0,
        "not_attempted": 1,
    }
    assert (web["size_to_delete"], web["interrupted"], web["stopped_by"]) == (2500, False, None)
    assert [each["guard"] for each in web["refused"]] == ["max_delete"]
    assert (empty["images"], empty["refused"]) == ([], [])
    assert document["policy_files"] == [file]
    assert document["at"] == web["taken_at"]


def test_globs_and_names_of_repositories_are_united(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/a", "ci/b", "web/c", "web/d/e", "misc"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    words = ("plan", "-f", file, "--output", "json")

    def planned(*patterns: str) -> list[str]:
        repos = [word for pattern in patterns for word in ("--repo", pattern)]
        return list(going(json.loads(shell(*words, *repos).out)))

    assert planned("ci/*", "web/d/e", "ci/a") == ["ci/a", "ci/b", "web/d/e"]
    assert planned("*/?") == ["ci/a", "ci/b", "web/c", "web/d/e"]
    assert planned("misc", "ci/b") == ["ci/b", "misc"]
    assert planned() == ["ci/a", "ci/b", "misc", "web/c", "web/d/e"]


@pytest.mark.parametrize("patterns", [["nope"], ["nope", "ci/a"], ["nope/*"], ["ci/*", "nope"], ["ci/*", "nope/*"]])
def test_a_name_or_a_glob_that_fits_nothing_is_exit_2_and_one_line(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, patterns: list[str]
) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(NONE))
    words = [word for pattern in patterns for word in ("--repo", pattern)]
    one_line(shell("plan", "-f", file, *words), 2, "nope", "us-east-1", "check ")
    one_line(shell("run", "-f", file, "--yes", *words), 2, "nope", "us-east-1", "check ")


def test_the_originals_flags_stand_in_for_a_file(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = fill(sandbox, "ci/web", 4)
    flags = ("--keep", "build=1", "--delete-untagged", "--repo", "ci/web")
    by_flags = shell("plan", *flags, "--output", "json")
    assert going(json.loads(by_flags.out)) == {"ci/web": {repo.digests[f"ci/web-{number}"] for number in range(3)}}
    document = json.loads(by_flags.out)
    assert (document["policy_files"], document["policy_sha256"]) == ([], None)
    assert document["repositories"][0]["policy"] == "the command line"
    file = tmp_path / "p.yaml"
    file.write_text(shell("policy", "from-flags", *flags).out)
    assert going(json.loads(shell("plan", "-f", str(file), "--output", "json").out)) == going(document)


def test_a_policy_must_be_given_and_only_one(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(NONE))
    one_line(shell("plan"), 2, "no policy", "-f FILE", "--keep")
    one_line(shell("plan", "--repo", "ci/web"), 2, "no policy")
    one_line(shell("plan", "-f", file, "--keep", "build=1"), 2, "-f", "--keep", "two policies")
    one_line(shell("plan", "-f", file, "--delete-untagged"), 2, "two policies")
    one_line(shell("plan", "-f", "--output"), 2, "-f", "value missing")
    assert not sandbox.calls


def test_listing_takes_one_call_for_a_thousand_images_and_none_for_a_name_that_is_given(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "ci/web", 1001)
    repo.index("index", "build-index", children=["ci/web-5"])
    keeping = policy_file(tmp_path / "keep.json", policy({**BUILDS, "keep": {"newest": 2000}}))
    assert shell("plan", "-f", keeping, "--repo", "ci/web").exit == 0
    assert operations(sandbox) == ["DescribeImages"] * 2
    deleting = policy_file(tmp_path / "delete.json", policy({**BUILDS, "keep": {"newest": 1001}}))
    assert shell("plan", "-f", deleting, "--repo", "ci/web").exit == 0
    assert operations(sandbox, 2) == ["DescribeImages"] * 2 + ["BatchGetImage"]
    assert shell("plan", "-f", deleting, "--repo", "ci/web").exit == 0
    assert operations(sandbox, 5) == ["DescribeImages"] * 2


def test_resource_tags_are_asked_for_only_where_they_may_decide(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/a", "web/one", "web/two"):
        fill(sandbox, name)
    sandbox.registry().repository("web/one").settings.resource_tags["team"] = "web"
    by_tag = {"include": "web/*", "resource_tags": {"team": "web"}}
    file = policy_file(
        tmp_path / "p.json", policy(NONE, repositories={"include": "ci/*"}), policy(NONE, repositories=by_tag)
    )
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    assert list(going(document)) == ["ci/a", "web/one"]
    assert document["left_alone"] == ["web/two"]
    asked = [call.request["resourceArn"] for call in sandbox.calls if call.operation == "ListTagsForResource"]
    assert sorted(arn.rpartition("repository/")[2] for arn in asked) == ["web/one", "web/two"]
    assert operations(sandbox).count("DescribeRepositories") == 1


def test_what_an_interrupted_run_left_over_is_planned(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    repo = killed_between_index_and_child(sandbox, shell, file)
    finished = shell("plan", "-f", file)
    assert "    left-over: an interrupted run deleted what it went with" in finished.out
    before = sorted((shell.home / "state").rglob("*.json"))
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    assert going(document) == {"ci/web": {repo.digests["child"]}}
    assert before == sorted((shell.home / "state").rglob("*.json"))
    assert len(before) == 1
    explained = shell("explain", f"ci/web@{repo.digests['child']}", "-f", file)
    assert "goes\n" in explained.out
    assert "left-over" in explained.out
    sandbox.deletions.clear()
    sandbox.calls.clear()


def test_a_guard_refuses_one_repository_and_the_others_are_planned(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    small, large = fill(sandbox, "ci/a", 3), fill(sandbox, "ci/b", 8)
    one = {**BUILDS, "keep": {"newest": 1}}
    for guards, guard, detail, way_round in (
        ({"max_delete": 2}, "max_delete", "7 images would go, and at most 2 may", "raise guards.max_delete"),
        (
            {"max_share": "80%"},
            "max_share",
            "7 of 8 images would go (87.5%), and at most 80% may",
            "raise guards.max_sh",
        ),
    ):
        file = policy_file(tmp_path / "p.json", policy(one, guards=guards))
        finished = shell("plan", "-f", file)
        assert finished.exit == 4
        refusals = [line for line in finished.out.splitlines() if line.startswith("Refused")]
        assert len(refusals) == 1
        assert refusals[0].startswith(f"Refused by the guard {guard}: {detail}; {way_round}")
        assert f"{small.digests['ci/a-0'][:16]}" in finished.out
        document = json.loads(shell("plan", "-f", file, "--output", "json").out)
        assert going(document)["ci/b"] == {large.digests[f"ci/b-{number}"] for number in range(7)}
        assert [[each["guard"] for each in part["refused"]] for part in document["repositories"]] == [[], [guard]]


def test_the_sum_tells_apart_what_guards_refuse(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name, images in (("ci/a", 3), ("ci/b", 8)):
        fill(sandbox, name, images)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"max_delete": 2}))
    last = shell("plan", "-f", file).out.splitlines()[-1]
    assert last == "To delete in 1 repository: 1 image, at most 2.5 kB; guards refuse 6 images in 1 repository"


def test_by_default_one_image_must_remain(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/a", 3)
    file = policy_file(tmp_path / "p.json", {"rules": [NONE]})
    finished = shell("plan", "-f", file)
    assert finished.exit == 4
    assert "keep_at_least: 0 of 3 images would remain, and at least 1 must; lower guards.keep_at_least" in finished.out
    by_flags = shell("plan", "--keep", "build=0", "--repo", "ci/a")
    assert by_flags.exit == 0
    assert by_flags.err == "aws-ecr-gc: warning: repository ci/a: this is every image of the repository\n"
    assert shell("plan", "--keep", "build=1", "--repo", "ci/a").err == ""


def test_by_default_the_last_tagged_image_stays_unless_the_policy_says_otherwise(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "ci/a", 2)
    for name in ("x", "y", "z"):
        repo.image(name)
    builds = {**BUILDS, "keep": "none"}
    file = policy_file(tmp_path / "p.json", {"rules": [builds]})
    refused = "Refused by the guard keep_tagged: 0 tagged images would remain, and at least 1 must; lower guards"
    finished = shell("plan", "-f", file)
    assert finished.exit == 4
    assert refused in finished.out
    repo.image("kept", "v1")
    assert shell("plan", "-f", file).exit == 0
    repo.repository.remove(repo.digests["kept"])
    meant = policy_file(tmp_path / "meant.json", {"rules": [builds], "guards": {"keep_tagged": 0}})
    assert shell("plan", "-f", meant).exit == 0
    assert shell("plan", "--keep", "build=0", "--repo", "ci/a").exit == 0
    sandbox.deletions.clear()


def deny(request: dict[str, object]) -> None:
    name = request["repositoryName"]
    raise ServiceError("AccessDeniedException", f"not authorized to perform: ecr:DescribeImages on {name}")


def fail(_request: dict[str, object]) -> None:
    raise ServiceError("ServerException", "a server-side issue")


@pytest.mark.parametrize(("trouble", "fragment"), [(deny, "ecr:DescribeImages"), (fail, "ServerException")])
def test_a_repository_that_cannot_be_read_keeps_no_other_from_its_plan(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, trouble: object, fragment: str
) -> None:
    for name in ("ci/a", "ci/b", "ci/c"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    sandbox.before("DescribeImages", trouble, call=2)  # type: ignore[arg-type]  # both are actions
    finished = shell("plan", "-f", file, "--output", "json", "--concurrency", "1")
    document = json.loads(finished.out)
    jsonschema.validate(document, plans.schema())
    assert finished.exit == 3
    assert list(going(document)) == ["ci/a", "ci/c"]
    (unread,) = document["unread"]
    assert unread["repository"] == "ci/b"
    assert fragment in unread["reason"]
    assert finished.err.startswith("aws-ecr-gc: repository ci/b: no plan: ")
    assert fragment in finished.err
    assert finished.err.count("\n") == 1


def test_an_index_that_cannot_be_parsed_and_tags_that_cannot_be_read_concern_one_repository(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b", "web/c"):
        fill(sandbox, name)
    odd = b'{"schemaVersion": 2, "manifests": [{"mediaType": "text/plain"}]}'
    sandbox.registry().repository("ci/a").put(odd, "application/vnd.oci.image.index.v1+json", "odd")
    sandbox.faults = Faults(deny=["ListTagsForResource"])
    tagged = {"include": "web/*", "resource_tags": {"team": "web"}}
    file = policy_file(
        tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}), policy(NONE, repositories=tagged)
    )
    finished = shell("plan", "-f", file)
    assert finished.exit == 3
    assert "Total images in ci/b (us-east-1): 3" in finished.out
    unparsed, denied = besides_announcements(finished.err)
    assert unparsed.startswith("aws-ecr-gc: repository ci/a: no plan: index sha256:")
    assert "can't be parsed" in unparsed
    assert denied.startswith("aws-ecr-gc: repository web/c: no plan: access denied")
    assert "ecr:ListTagsForResource" in denied


def test_a_repository_that_vanishes_after_the_listing_keeps_no_other_from_its_plan(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b", "ci/c"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    sandbox.before("DescribeImages", lambda _: sandbox.registry().delete_repository("ci/b"))
    finished = shell("plan", "-f", file, "--output", "json")
    sandbox.deletions.clear()
    assert finished.exit == 3
    document = json.loads(finished.out)
    assert list(going(document)) == ["ci/a", "ci/c"]
    assert [each["repository"] for each in document["unread"]] == ["ci/b"]
    assert "repository ci/b: no plan: " in finished.err


def test_where_no_repository_can_be_listed_there_is_no_plan_at_all(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    sandbox.faults = Faults(deny=["DescribeRepositories"])
    one_line(shell("plan", "-f", file), 3, "ecr:DescribeRepositories")


def test_an_unread_repository_weighs_more_than_a_refusing_guard(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/a", "ci/b"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"max_delete": 0}))
    sandbox.before("DescribeImages", deny, call=2)
    finished = shell("plan", "-f", file)
    assert finished.exit == 3
    assert "Refused by the guard max_delete" in finished.out


def test_the_clock_can_be_moved_either_way(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = Builder(sandbox, "ci/web")
    now = time.time()
    for days in (40, 20, 5):
        repo.image(f"{days} days", f"build-{days}", pushed_at=now - days * DAY)
    file = policy_file(tmp_path / "p.json", policy({**BUILDS, "keep": {"younger_than": "30d"}}))

    def names_at(*words: str) -> set[str]:
        document = json.loads(shell("plan", "-f", file, "--output", "json", *words).out)
        return {name for name in repo.digests if repo.digests[name] in going(document)["ci/web"]}

    def day(offset: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + offset * DAY))

    assert names_at() == {"40 days"}
    assert names_at("--at", day(-15)) == set()
    assert names_at("--at", day(15)) == {"40 days", "20 days"}
    assert names_at("--at", day(30)) == {"40 days", "20 days", "5 days"}
    document = json.loads(shell("plan", "-f", file, "--output", "json", "--at", "2027-01-01").out)
    assert document["at"] == "2027-01-01T00:00:00Z"
    one_line(shell("plan", "-f", file, "--at", "tomorrow"), 2, "--at", "'tomorrow' is not a time")


def test_all_mistakes_of_a_policy_file_are_told_before_any_call(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "version: 1\npolicies:\n- rules:\n  - {name: a, match: {prefx: b}, keep: {newest: 1}}\n"
        "  - {name: a, match: {any: true}, keep: {newest: -1}}\n"
    )
    for command in (("plan",), ("run", "--yes"), ("explain", "ci/web:build-1"), ("policy", "show", "--repo", "ci/web")):
        finished = shell(*command, "-f", str(file))
        assert (finished.exit, finished.out) == (2, ""), command
        assert all(line.startswith(f"aws-ecr-gc: {file}:") for line in finished.err.splitlines())
        assert {line.removeprefix(f"aws-ecr-gc: {file}:").partition(":")[0] for line in finished.err.splitlines()} == {
            "4",
            "5",
        }
    one_line(shell("plan", "-f", str(tmp_path / "absent.yaml")), 2, "absent.yaml")
    one_line(shell("plan", "-f", str(tmp_path)), 2, str(tmp_path))
    assert not sandbox.calls


def test_missing_and_refused_credentials_are_exit_2(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    one_line(
        shell("plan", "-f", file, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None), 2, "credentials: none found"
    )
    sandbox.faults = Faults(expire_credentials_after=1)
    one_line(shell("plan", "-f", file), 2, "credentials", "ExpiredTokenException")


def test_a_signal_while_reading_ends_the_plan(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    for name in ("ci/a", "ci/b"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))

    def strike(_request: object) -> None:
        started.send(signal.SIGTERM)
        time.sleep(0.3)

    sandbox.before("DescribeImages", strike, call=2)
    started = Started(shell, "plan", "-f", file, "--concurrency", "1")
    finished = started.finished()
    assert finished.exit == 130
    assert "interrupted while reading; nothing was changed" in finished.err
    assert "ci/b" not in finished.out


def test_untagged_images_are_the_policys_only_where_a_rule_matches_them(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    repo = fill(sandbox, "ci/a", 2)
    repo.image("loose")
    kept = policy_file(tmp_path / "kept.json", policy(BUILDS))
    assert "  no-untagged-rule: 1\n" in shell("plan", "-f", kept).out
    gone = policy_file(tmp_path / "gone.json", policy(BUILDS, UNTAGGED))
    document = json.loads(shell("plan", "-f", gone, "--output", "json").out)
    assert going(document) == {"ci/a": {repo.digests["loose"]}}


@pytest.mark.parametrize("words", [(), ("--output", "json"), ("--forecast", "9d")])
@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
def test_a_result_that_cannot_be_written_is_exit_1_and_one_line(
    sandbox: Sandbox, shell: Shell, words: tuple[str, ...], redirection: str
) -> None:
    fill(sandbox, "ci/a")
    file = policy_file(shell.home / "p.json", policy(BUILDS))
    finished = with_stdout(shell, redirection, "plan", "-f", file, *words)
    assert finished.returncode == 1
    assert finished.stderr.startswith("aws-ecr-gc: standard output ")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("--forecast", "1h"), ("--forecast", "999999w"), ("--forecast", "soon")])
def test_a_forecast_is_for_a_day_to_ten_years(sandbox: Sandbox, shell: Shell, words: tuple[str, str]) -> None:
    one_line(shell("plan", "--keep", "build=1", "--repo", "ci/a", *words), 2, "--forecast")
    assert not sandbox.calls


def test_nothing_in_the_registry_is_no_mistake(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("plan", "-f", file)
    assert (finished.exit, finished.out) == (0, "")
    assert finished.err == "aws-ecr-gc: the registry has no repositories\n"
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    jsonschema.validate(document, plans.schema())
    assert document["repositories"] == []
    assert operations(sandbox) == ["DescribeRepositories"] * 2


@pytest.mark.parametrize("words", [("plan",), ("explain", "ci/web:a"), ("iam-policy",)])
def test_the_grace_of_the_flags_is_refused_beside_a_policy_file(
    shell: Shell, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell(*words, "-f", file, "--grace", "2h")
    assert finished.exit == 2
    assert "in the policy file write protect: {grace: 2h}" in finished.err


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("-f", "p.yaml"), "the command comes first: aws-ecr-gc plan -f FILE"),
        (("plan", "p.yaml"), "the policy file is -f FILE"),
        (("plan", "--file", "p.yaml"), "did you mean -f?"),
        (("run", "-f", "p.yaml", "--dry-run"), "that is aws-ecr-gc plan"),
        (("snapshot",), "see aws-ecr-gc snapshot --help"),
        (("policy", "show", "-f", "p.yaml"), "see aws-ecr-gc policy show --help"),
    ],
)
def test_likely_slips_are_answered_with_what_was_meant(shell: Shell, words: tuple[str, ...], mend: str) -> None:
    finished = shell(*words)
    assert finished.exit == 2
    assert mend in finished.err
