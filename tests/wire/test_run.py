"""`run` on the wire: it deletes what `plan` said and nothing else, and only where it was told to."""

import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.report import plans
from aws_ecr_gc.sandbox import Behaviour, Faults, Sandbox, Scenario
from aws_ecr_gc.sandbox.errors import ServiceError
from tests.conftest import Finished, Shell
from tests.wire.builder import DAY, Builder
from tests.wire.policies import BUILDS, NONE, UNTAGGED, besides_announcements, going, operations, policy, policy_file
from tests.wire.test_bad_input import one_line
from tests.wire.test_interruption import Started

ONE = ("--concurrency", "1")
"""For tests that say in which call something happens."""

GENEROUS = {**BUILDS, "keep": {"newest": 100}}


def fill(sandbox: Sandbox, name: str, images: int = 4) -> Builder:
    repo = Builder(sandbox, name)
    for number in range(images):
        repo.image(f"{name}-{number}", f"build-{number}")
    return repo


def numbered(repo: Builder) -> set[int]:
    """The numbers of the images of `fill` that are still there."""
    return {int(name.rpartition("-")[2]) for name in repo.names()}


RULES = (
    BUILDS,
    {"name": "few", "match": {"glob": "build-*[02468]"}, "keep": {"newest": 1, "daily": 3}},
    {"name": "old", "match": {"regex": "(?P<kind>[a-z]+)-.*"}, "group_by": ["kind"], "keep": {"younger_than": "20d"}},
    {"name": "versions", "match": {"semver": "v{version}"}, "keep": {"minors": 2}},
    {"name": "all", "match": {"any": True, "except": {"prefix": "release-"}}, "keep": {"newest": 3, "weekly": 2}},
    UNTAGGED,
)


def fill_at_random(repo: Builder, draw: random.Random) -> None:
    """Images, indexes (nested, sharing children), referrers and signatures, tagged or not, of the last 40 days."""
    names: list[str] = []
    for number in range(draw.randint(5, 30)):
        name = f"{repo.repository.name}-{number}"
        kind = draw.choice(["image", "image", "image", "index", "referrer", "signature"])
        count = draw.choice([0, 1, 1, 2])
        stems = [draw.choice(["build", "release", "nightly"]) for _ in range(count)]
        tags = [f"{stem}-{number}{letter}" for stem, letter in zip(stems, "ab", strict=False)]
        if draw.random() < 0.3:
            tags.append(f"v1.{number}.0")
        pushed_at = time.time() - draw.uniform(0.01, 40) * DAY
        if kind == "index" and names:
            children = draw.sample(names, min(len(names), draw.randint(1, 3)))
            repo.index(name, *tags, children=children, pushed_at=pushed_at)
        elif kind == "signature" and names:
            signed = repo.digests[draw.choice(names)]
            if f"sha256-{signed[7:]}.sig" not in repo.repository.tags:
                tags = [f"sha256-{signed[7:]}.sig"]
            repo.image(name, *tags, pushed_at=pushed_at)
        else:
            subject = draw.choice(names) if kind == "referrer" and names else None
            repo.image(name, *tags, subject=subject, pushed_at=pushed_at)
        names.append(name)


@pytest.mark.parametrize("seed", range(10))
def test_run_deletes_exactly_what_plan_said_and_a_second_run_nothing(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    behaviour = Behaviour(
        pair_deletes=draw.choice(["tag", "image"]),
        sweep_referrers=draw.random() < 0.5,
    )
    sandbox.reset(Scenario(behaviour=behaviour))
    repos = [Builder(sandbox, name) for name in ("ci/web", "ci/api/v2", "lib")]
    for repo in repos:
        fill_at_random(repo, draw)
    made = [policy(*draw.sample(RULES, draw.randint(1, 4)), repositories={"include": name}) for name in ("ci/*", "*")]
    file = policy_file(tmp_path / "p.json", *made)
    before = {repo.repository.name: set(repo.repository.images) for repo in repos}
    planned = json.loads(shell("plan", "-f", file, "--output", "json").out)
    finished = shell("run", "-f", file, "--yes", "--output", "json")
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])
    document = json.loads(finished.out)
    jsonschema.validate(document, plans.schema())
    assert going(document) == going(planned)
    deleted_here = {each.digest for each in sandbox.deletions if each.by == "BatchDeleteImage" and each.tag is None}
    assert deleted_here <= set.union(*going(planned).values())
    for repo in repos:
        gone = before[repo.repository.name] - set(repo.repository.images)
        assert gone >= going(planned)[repo.repository.name]
        if not behaviour.sweep_referrers:
            assert gone == going(planned)[repo.repository.name]
    for part in document["repositories"]:
        counts = part["counts"]
        collected = going(planned)[part["repository"]["name"]]
        assert counts["deleted"] == counts["to_delete"] == len(collected)
        assert {image["digest"] for image in part["images"] if "outcome" in image} == collected
    deleted = len(sandbox.deletions)
    again = shell("run", "-f", file, "--yes")
    assert (again.exit, len(sandbox.deletions)) == (0, deleted)


def test_an_image_with_an_unmatched_tag_is_not_lost_where_ecr_sweeps_referrers(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    sandbox.reset(Scenario(behaviour=Behaviour(sweep_referrers=True)))
    repo = fill(sandbox, "ci/web")
    repo.image("chart", "v1.0.0", subject="ci/web-0")
    assert shell("run", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)), "--yes").exit == 0
    assert "chart" in repo.names()


def test_an_index_that_was_read_for_a_plan_counts_as_pulled_from_then_on(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    """ECR records our reading as a pull, and hides other pulls of that day behind it: they can't be told apart."""
    repo = Builder(sandbox, "ci/web")
    repo.image("child")
    for name in ("old", "new"):
        repo.index(name, f"build-{name}", children=["child"])
    by_pull = {**BUILDS, "keep": {"newest": 1, "pulled_within": "14d"}}
    file = policy_file(tmp_path / "p.json", policy(by_pull))
    document = json.loads(shell("plan", "-f", file, "--output", "json").out)
    assert going(document) == {"ci/web": {repo.digests["old"]}}
    assert shell("run", "-f", file, "--yes").exit == 0
    assert repo.names() == {"child", "new", "old"}


def test_the_text_shows_plan_and_outcome_of_each_repository_and_the_sum(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    web, api = fill(sandbox, "ci/web"), fill(sandbox, "ci/api", 3)
    fill(sandbox, "misc")
    file = policy_file(tmp_path / "p.json", policy(BUILDS, repositories={"include": "ci/*"}))
    finished = shell("run", "-f", file, "--yes")
    lines = finished.out.splitlines()
    heads = [line for line in lines if line.startswith(("Total", "Carried out", "Deleted", "Failures", "Left"))]
    assert heads == [
        "Total images in ci/api (us-east-1): 3",
        "Carried out in ci/api (us-east-1)",
        "Deleted (1)",
        "Failures (0)",
        "Total images in ci/web (us-east-1): 4",
        "Carried out in ci/web (us-east-1)",
        "Deleted (2)",
        "Failures (0)",
        "Deleted in 2 repositories: 3 of 3 images",
        "Left alone, for no policy fits (1): misc",
    ]
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])
    assert (numbered(web), numbered(api)) == ({2, 3}, {1, 2})


def test_without_yes_and_without_a_terminal_nothing_is_even_called(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    fill(sandbox, "ci/web")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    for stdin in (subprocess.DEVNULL, subprocess.PIPE):
        ended = subprocess.run(
            [sys.executable, "-m", "aws_ecr_gc", "run", "-f", file],
            env=shell.with_changes({}),
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        one_line(Finished(ended.returncode, ended.stdout, ended.stderr), 2, "no terminal", "--yes")
    assert not sandbox.calls


@pytest.mark.parametrize(
    "words", [("--snapshot", "x"), ("--at", "2027-01-01"), ("--at=2027-01-01",), ("-snapshot=x",), ("--forecast", "9d")]
)
def test_what_only_plans_is_refused_with_the_command_that_takes_it(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    flag = f"--{words[0].lstrip('-').partition('=')[0]}"
    one_line(shell("run", "-f", file, "--yes", *words), 2, f"{flag}: ", "can't be carried out", "aws-ecr-gc plan")
    assert not sandbox.calls


@pytest.mark.parametrize("words", [(), ("--yes",), ("--keep", "build=1", "--yes")])
def test_run_takes_a_policy_file_only(sandbox: Sandbox, shell: Shell, words: tuple[str, ...]) -> None:
    one_line(shell("run", *words), 2)
    assert not sandbox.calls


_CONTROLLED = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("aws_ecr_gc", run_name="__main__")
"""
"""The program, with its standard input as the terminal that Ctrl-C comes from."""


class Terminal:
    """`run` on a terminal of its own: standard input and error are the terminal, standard output is a pipe."""

    def __init__(self, shell: Shell, *words: str) -> None:
        self._terminal, other = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CONTROLLED, *words],
            env=shell.with_changes({"TERM": "dumb"}),
            stdin=other,
            stdout=subprocess.PIPE,
            stderr=other,
            text=True,
            start_new_session=True,
        )
        os.close(other)

    def asked(self) -> str:
        """What is on the terminal once the question is there."""
        shown = ""
        while not shown.endswith("[y/N] "):
            ready, _, _ = select.select([self._terminal], [], [], 30)
            if not ready:
                self._process.kill()
                pytest.fail(f"no question within 30 seconds: {shown!r}")
            shown += os.read(self._terminal, 4096).decode()
        return shown

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def finished(self) -> Finished:
        try:
            out, _ = self._process.communicate(timeout=60)
        finally:
            self._process.kill()
        shown = ""
        while select.select([self._terminal], [], [], 0)[0]:
            try:
                shown += os.read(self._terminal, 4096).decode()
            except OSError:  # Linux: the other side is closed
                break
        os.close(self._terminal)
        return Finished(self._process.returncode, out, shown.replace("\r\n", "\n"))


def test_on_a_terminal_all_plans_are_shown_and_one_question_names_the_numbers(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    web, api = fill(sandbox, "ci/web"), fill(sandbox, "ci/api", 3)
    fill(sandbox, "ci/small", 2)
    terminal = Terminal(shell, "run", "-f", policy_file(tmp_path / "p.json", policy(BUILDS)))
    question = terminal.asked()
    assert question == "Delete 3 images in 2 repositories, at most 7.5 kB? 4 images will remain there. [y/N] "
    assert "BatchDeleteImage" not in operations(sandbox)
    terminal.type("y\n")
    finished = terminal.finished()
    assert finished.exit == 0
    assert finished.out.index("Images to delete (2)") < finished.out.index("Carried out in ci/api")
    assert (numbered(web), numbered(api)) == ({2, 3}, {1, 2})


@pytest.mark.parametrize(
    ("typed", "exit_code", "said"),
    [
        ("n\n", 0, "nothing was changed"),
        ("\n", 0, "nothing was changed"),
        ("yess\n", 0, "nothing was changed"),
        ("\x04", 0, "nothing was changed"),
        ("\x03", 130, "interrupted; nothing was changed"),
    ],
    ids=["n", "nothing", "anything", "end of file", "Ctrl-C"],
)
def test_any_answer_but_yes_deletes_nothing(
    sandbox: Sandbox, shell: Shell, typed: str, exit_code: int, said: str
) -> None:
    web = fill(sandbox, "ci/web")
    file = policy_file(shell.home / "p.json", policy(BUILDS))
    terminal = Terminal(shell, "run", "-f", file, "--repo", "ci/web")
    assert terminal.asked() == "Delete 2 images in ci/web, at most 5.0 kB? 2 images will remain there. [y/N] "
    terminal.type(typed)
    finished = terminal.finished()
    assert finished.exit == exit_code
    assert f"aws-ecr-gc: {said}\n" in finished.err
    assert "Traceback" not in finished.err
    assert "Deleted" not in finished.out
    assert len(web.names()) == 4
    assert not list((shell.home / "state").rglob("*.json"))


def test_where_nothing_would_go_nothing_is_asked(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    fill(sandbox, "ci/web")
    file = policy_file(tmp_path / "p.json", policy(GENEROUS))
    finished = Terminal(shell, "run", "-f", file).finished()
    assert (finished.exit, finished.err) == (0, "")


def test_the_question_leaves_out_what_a_guard_refuses(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    web, api = fill(sandbox, "ci/web", 9), fill(sandbox, "ci/api", 3)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"max_delete": 2}))
    terminal = Terminal(shell, "run", "-f", file)
    assert terminal.asked() == "Delete 1 image in ci/api, at most 2.5 kB? 2 images will remain there. [y/N] "
    terminal.type("yes\n")
    assert terminal.finished().exit == 4
    assert (len(web.names()), numbered(api)) == (9, {1, 2})


def test_a_guard_that_refuses_one_repository_leaves_it_as_it_is_and_the_other_is_carried_out(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    web, api = fill(sandbox, "ci/web", 9), fill(sandbox, "ci/api", 3)
    file = policy_file(tmp_path / "p.json", policy(BUILDS, guards={"max_delete": 2}))
    finished = shell("run", "-f", file, "--yes", "--output", "json")
    assert finished.exit == 4
    assert (len(web.names()), numbered(api)) == (9, {1, 2})
    document = json.loads(finished.out)
    jsonschema.validate(document, plans.schema())
    done, refused = document["repositories"]
    assert (done["refused"], done["counts"]["deleted"]) == ([], 1)
    assert [each["guard"] for each in refused["refused"]] == ["max_delete"]
    assert (refused["counts"]["to_delete"], refused["counts"]["not_attempted"]) == (7, 7)
    assert not any("outcome" in image for image in refused["images"])
    last = shell("run", "-f", file, "--yes").out.splitlines()[-1]
    assert last == "Deleted in 1 repository: 0 of 0 images; guards refused 7 images in 1 repository"


def test_failed_deletions_are_exit_5_and_the_next_repository_is_carried_out(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    web, api = fill(sandbox, "ci/web"), fill(sandbox, "ci/api")

    def refuse(_request: object) -> None:
        raise ServiceError("AccessDeniedException", "not authorized to perform: ecr:BatchDeleteImage on it")

    sandbox.before("BatchDeleteImage", refuse)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("run", "-f", file, "--yes", "--output", "json", *ONE)
    assert finished.exit == 5
    assert "ecr:BatchDeleteImage is missing" in finished.err
    assert (len(api.names()), numbered(web)) == (4, {2, 3})
    first, second = json.loads(finished.out)["repositories"]
    assert (first["counts"]["failed"], second["counts"]["deleted"]) == (2, 2)
    assert "ecr:BatchDeleteImage" in first["stopped_by"]
    assert {image["outcome"]["result"] for image in first["images"] if "outcome" in image} == {"failed"}


def test_what_changed_since_the_plan_is_skipped_and_only_strict_makes_it_an_error(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    web = fill(sandbox, "ci/web")
    for call, words, exit_code in ((2, (), 0), (4, ("--strict",), 5)):
        web.repository.untag("prod")
        sandbox.before("DescribeImages", lambda _: web.repository.tag("prod", web.digests["ci/web-0"]), call=call)
        finished = shell("run", "-f", file, "--yes", *words)
        assert finished.exit == exit_code
        assert "ChangedSincePlan" in finished.out
    assert numbered(web) == {0, 2, 3}


def interrupted_in(sandbox: Sandbox, shell: Shell, operation: str, call: int, *words: str) -> Finished:
    def strike(_request: object) -> None:
        started.send(signal.SIGTERM)
        time.sleep(0.3)

    sandbox.before(operation, strike, call=call)
    started = Started(shell, "run", "--yes", *words)
    return started.finished()


def test_a_signal_between_calls_ends_the_run_and_the_document_still_tells_what_was_done(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    api, web = fill(sandbox, "ci/api"), fill(sandbox, "ci/web", 250)
    fill(sandbox, "ci/x")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = interrupted_in(sandbox, shell, "BatchDeleteImage", 2, "-f", file, "--output", "json", *ONE)
    assert finished.exit == 130
    document = json.loads(finished.out)
    jsonschema.validate(document, plans.schema())
    counts = {part["repository"]["name"]: part["counts"] for part in document["repositories"]}
    assert (counts["ci/api"]["deleted"], counts["ci/web"]["deleted"]) == (2, 100)
    assert counts["ci/web"]["not_attempted"] == 148
    assert [part["interrupted"] for part in document["repositories"]] == [False, True]
    assert "148 images were not attempted" in finished.err
    assert (len(api.names()), len(web.names())) == (2, 150)


@pytest.mark.parametrize("operation", ["BatchDeleteImage", "DescribeImages"])
def test_a_signal_before_the_second_repository_leaves_it_and_says_nothing_false(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, operation: str
) -> None:
    """In the last call of the first repository, and in the listing of the second."""
    api, web = fill(sandbox, "ci/api"), fill(sandbox, "ci/web")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    call = 1 if operation == "BatchDeleteImage" else 3
    finished = interrupted_in(sandbox, shell, operation, call, "-f", file, "--output", "json", *ONE)
    assert finished.exit == 130
    assert (len(api.names()), len(web.names())) == (2, 4)
    assert json.loads(finished.out)["repositories"][0]["counts"]["deleted"] == 2
    assert "nothing was deleted" not in finished.err
    assert "interrupted" in finished.err


def _deny_second_listing(sandbox: Sandbox) -> None:
    def deny(_request: object) -> None:
        raise ServiceError("AccessDeniedException", "not authorized to perform: ecr:DescribeImages on it")

    sandbox.before("DescribeImages", deny, call=1)


def _fail_deletion(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(server_error_share=1, operations=["BatchDeleteImage"])


@pytest.mark.parametrize(
    ("troubles", "guards", "exit_code"),
    [
        ([_deny_second_listing], {}, 3),
        ([_fail_deletion], {}, 5),
        ([_deny_second_listing, _fail_deletion], {}, 5),
        ([_deny_second_listing], {"max_delete": 0}, 3),
        ([_fail_deletion], {"max_share": "50%", "keep_at_least": 0}, 5),
        ([], {"max_share": "50%", "keep_at_least": 0}, 4),
    ],
)
def test_of_several_exit_codes_the_one_wins_that_says_what_matters_most(
    sandbox: Sandbox,
    shell: Shell,
    troubles: list[Callable[[Sandbox], None]],
    guards: dict[str, object],
    exit_code: int,
) -> None:
    for name, images in (("ci/a", 3), ("ci/b", 3), ("ci/c", 9)):
        fill(sandbox, name, images)
    for trouble in troubles:
        trouble(sandbox)
    file = policy_file(shell.home / "p.json", policy(BUILDS, guards={"keep_at_least": 0, **guards}))
    assert shell("run", "-f", file, "--yes").exit == exit_code


def test_credentials_that_expire_half_way_are_no_misuse_and_what_was_done_is_told(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    api, web = fill(sandbox, "ci/api"), fill(sandbox, "ci/web")
    sandbox.faults = Faults(expire_credentials_after=8)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("run", "-f", file, "--yes", "--output", "json", *ONE)
    assert finished.exit == 3
    assert "ExpiredTokenException" in finished.err
    assert json.loads(finished.out)["repositories"][0]["counts"]["deleted"] == 2
    assert (len(api.names()), len(web.names())) == (2, 4)


def with_stdout(shell: Shell, redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'{sys.executable} -m aws_ecr_gc "$@" {redirection}', "bash", *words],
        env=shell.with_changes({}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
def test_where_the_plan_cannot_be_shown_nothing_is_deleted(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, redirection: str
) -> None:
    web = fill(sandbox, "ci/web")
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = with_stdout(shell, redirection, "run", "-f", file, "--yes")
    assert finished.returncode == 1
    assert finished.stderr.startswith("aws-ecr-gc: standard output ")
    assert "Traceback" not in finished.stderr
    assert len(web.names()) == 4


def test_a_document_that_cannot_be_written_leaves_its_counts_behind(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/api", "ci/web"):
        fill(sandbox, name)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = with_stdout(shell, "> /dev/full", "run", "-f", file, "--yes", "--output", "json")
    assert finished.returncode == 1
    assert "ci/api: 2 of 2 images were deleted\n" in finished.stderr
    assert "ci/web: 2 of 2 images were deleted\n" in finished.stderr
    assert "standard output can't be written: No space left on device" in finished.stderr


def test_a_repository_that_vanishes_before_it_is_read_or_carried_out_keeps_no_other_from_it(
    sandbox: Sandbox, shell: Shell, tmp_path: Path
) -> None:
    for name in ("ci/a", "ci/b", "ci/c"):
        fill(sandbox, name)
    sandbox.before("DescribeImages", lambda _: sandbox.registry().delete_repository("ci/b"), call=2)
    sandbox.before("BatchDeleteImage", lambda _: sandbox.registry().delete_repository("ci/a"), call=1)
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    finished = shell("run", "-f", file, "--yes", "--concurrency", "1", "--output", "json")
    assert finished.exit == 5
    assert "repository ci/b: no plan: " in finished.err
    document = json.loads(finished.out)
    assert [each["repository"] for each in document["unread"]] == ["ci/b"]
    counts = {part["repository"]["name"]: part["counts"] for part in document["repositories"]}
    assert (counts["ci/a"]["deleted"], counts["ci/a"]["failed"]) == (0, 2)
    assert counts["ci/c"]["deleted"] == 2


def killed_between_index_and_child(sandbox: Sandbox, shell: Shell, file: str) -> Builder:
    """A repository after a run that deleted an index and then was killed: the index's child is left."""
    repo = fill(sandbox, "ci/web", 2)
    repo.image("child")
    repo.index("index", "build-old", children=["child"], pushed_at=1_480_000_000.0)
    sandbox.after("BatchDeleteImage", lambda _: started.send(signal.SIGKILL))
    started = Started(shell, "run", "-f", file, "--yes")
    assert started.finished().exit == -signal.SIGKILL
    assert repo.names() == {"ci/web-0", "ci/web-1", "child"}
    return repo


def test_children_that_an_interrupted_run_left_go_with_the_next(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    file = policy_file(tmp_path / "p.json", policy(BUILDS))
    repo = killed_between_index_and_child(sandbox, shell, file)
    assert shell("run", "-f", file, "--yes").exit == 0
    assert repo.names() == {"ci/web-0", "ci/web-1"}
    assert not list((shell.home / "state").rglob("*.json"))


def test_a_name_chooses_one_repository_and_saves_the_listing(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    web, other = fill(sandbox, "ci/web"), fill(sandbox, "ci/web2")
    file = policy_file(tmp_path / "p.json", policy(NONE))
    assert shell("run", "-f", file, "--yes", "--repo", "ci/web").exit == 0
    assert operations(sandbox) == [
        *("DescribeImages", "DescribeRegistry"),
        *("DescribePullThroughCacheRules", "DescribeRepositoryCreationTemplates", "BatchGetImage"),
        *("DescribeImages", "BatchDeleteImage"),
    ]
    assert (len(web.names()), len(other.names())) == (0, 4)
