"""`explain` on the wire: which image is meant, where it is read from, and that it agrees with the plan."""

import json
import random
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.report import explanations
from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import (
    BUILDS,
    UNTAGGED,
    besides_announcements,
    going,
    operations,
    policy,
    policy_file,
    untouched,
)
from tests.wire.test_bad_input import one_line
from tests.wire.test_run import RULES, fill_at_random

pytestmark = pytest.mark.usefixtures("untouched")
__all__ = ["untouched"]


@pytest.fixture
def repo(sandbox: Sandbox) -> Builder:
    """Four builds, an index with a child, a signature on the oldest build, and an untagged image."""
    made = Builder(sandbox, "ci/web")
    for number in range(4):
        made.image(f"build {number}", f"build-{number}")
    made.image("child")
    made.index("index", "build-index", children=["child"])
    made.image("signature", subject="build 0")
    made.image("loose")
    return made


@pytest.fixture
def file(tmp_path: Path) -> str:
    return policy_file(tmp_path / "p.json", policy(BUILDS, UNTAGGED, repositories={"include": "ci/*"}))


def test_the_text_is_the_whole_story_of_one_image(repo: Builder, shell: Shell, file: str) -> None:
    finished = shell("explain", "ci/web:build-0", "-f", file)
    assert finished.out == (
        "ci/web:build-0 goes\n"
        f"  {repo.digests['build 0']}\n"
        "  pushed 2017-03-21 08:53:20, no pull on record\n"
        "  ACTIVE, 2.5 kB\n"
        "  tags: build-0\n"
        "  application/vnd.oci.image.manifest.v1+json\n"
        f"Policy: {file}: policies[0]\n"
        "Reasons\n"
        "  builds: 5th of 5; not kept by newest 2\n"
        "Rules\n"
        "  builds (keep newest 2)\n"
        "    matches build-0\n"
        "    5th of 5\n"
        "      newest 2: not kept, it is the 5th\n"
        "  untagged (keep younger_than 1d)\n"
        "    does not match build-0: only untagged images are matched\n"
        "Related\n"
        f"  its referrer, which goes: {repo.digests['signature']} []\n"
        "It would stay if any of this were so\n"
        "  rule builds keeps newest 5 or more\n"
        "  it gets a tag that no rule matches, or its tag or digest is protected\n"
    )
    assert (finished.exit, besides_announcements(finished.err)) == (0, [])


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("build 3", ["stays", "builds: 2nd of 5; kept by newest 2", "a newer image comes"]),
        ("child", ["stays, for something that stays needs it", "child-of-index: an index that stays lists it"]),
        ("index", ["stays", "1st of 5", "its child, which stays: "]),
        ("signature", ["goes", "goes-with-subject: its subject goes"]),
        ("loose", ["goes", "untagged: 1st of 1; not kept by younger_than 1d", "matches the lack of a tag"]),
    ],
)
def test_every_kind_of_image_is_found_by_its_digest(
    repo: Builder, shell: Shell, file: str, name: str, fragments: list[str]
) -> None:
    for digest in (repo.digests[name], repo.digests[name][:24]):
        finished = shell("explain", f"ci/web@{digest}", "-f", file)
        assert finished.exit == 0
        assert finished.out.startswith(f"ci/web@{digest} {fragments[0]}\n  {repo.digests[name]}\n")
        for fragment in fragments[1:]:
            assert fragment in finished.out


def test_the_document_fits_its_schema(repo: Builder, shell: Shell, file: str) -> None:
    repo.repository.archive(repo.digests["build 1"])
    for digest in repo.digests.values():
        finished = shell("explain", f"ci/web@{digest}", "-f", file, "--output", "json")
        document = json.loads(finished.out)
        jsonschema.validate(document, explanations.schema())
        assert document["image"]["digest"] == digest
        assert document["repository"]["name"] == "ci/web"
        assert document["to_change"]


@pytest.mark.parametrize(
    ("image", "fragments"),
    [
        ("ci/web:nope", ["ci/web:nope: no such image"]),
        ("ci/web:build", ["ci/web:build: no such image"]),
        ("ci/web@sha256:00000000", ["ci/web@sha256:00000000: no such image"]),
        ("ci/nope:build-1", ["repository ci/nope: not found in us-east-1"]),
        ("ci/web", ["'ci/web' is no image", "ci/web:build-1"]),
        ("ci/web@build-1", ["is no image"]),
        ("ci/web@sha256:abc", ["is no image"]),
        ("ci/web:", ["is no image"]),
        ("CI/web:x", ["'CI/web' is not a repository name"]),
    ],
)
@pytest.mark.usefixtures("repo")
def test_an_image_that_is_none_is_exit_2_and_one_line(
    shell: Shell, file: str, image: str, fragments: list[str]
) -> None:
    looked_for = "no such image" in fragments[0]
    one_line(shell("explain", image, "-f", file), 2, *fragments, reads=looked_for)


def test_a_digest_cut_so_short_that_several_begin_so_is_refused(sandbox: Sandbox, shell: Shell, file: str) -> None:
    repo = Builder(sandbox, "ci/many")
    seen: dict[str, str] = {}
    number = 0
    while True:  # by the birthday paradox two of some hundred digests begin with the same four letters
        digest = repo.image(f"image-{number}", f"build-{number}")
        if digest[:11] in seen:
            break
        seen[digest[:11]] = digest
        number += 1
    one_line(shell("explain", f"ci/many@{digest[:11]}", "-f", file), 2, "2 images begin so; give more of the digest")
    assert shell("explain", f"ci/many@{digest}", "-f", file).exit == 0


@pytest.mark.usefixtures("repo")
def test_a_command_line_that_says_too_little_or_too_much_is_exit_2(sandbox: Sandbox, shell: Shell, file: str) -> None:
    one_line(shell("explain", "-f", file), 2, "REPO:TAG|REPO@DIGEST")
    one_line(shell("explain", "ci/web:build-1"), 2, "no policy", "-f FILE")
    one_line(shell("explain", "ci/web:build-1", "-f", file, "--keep", "a=1"), 2, "two policies")
    one_line(shell("explain", "ci/web:build-1", "ci/web:build-2", "-f", file), 2)
    assert not sandbox.calls


def test_a_repository_that_no_policy_fits_is_left_alone_and_it_says_so(
    sandbox: Sandbox, shell: Shell, file: str
) -> None:
    Builder(sandbox, "misc").image("a", "build-1")
    one_line(shell("explain", "misc:build-1", "-f", file), 2, "misc", "no policy fits it, so it is left alone")


def test_the_originals_flags_and_another_time_are_taken_too(repo: Builder, shell: Shell, file: str) -> None:
    by_flags = shell("explain", "ci/web:build-3", "--keep", "build=1")
    assert "Policy: the command line\n" in by_flags.out
    assert "keep build=1: 2nd of 5; not kept by newest 1" in by_flags.out
    loose = f"ci/web@{repo.digests['loose']}"
    then = shell("explain", loose, "-f", file, "--at", "2017-03-28T10:00:00Z")
    assert "untagged: 1st of 1; kept by younger_than 1d" in then.out
    assert "it is not younger than that from 2017-03-29 08:53:20 UTC on" in then.out
    assert shell("explain", loose, "-f", file, "--at", "2017-03-29T08:53:19Z").out.startswith(f"{loose} stays")
    assert shell("explain", loose, "-f", file, "--at", "2017-03-29T08:53:20Z").out.startswith(f"{loose} goes")


@pytest.mark.usefixtures("repo")
def test_one_repository_is_read_and_nothing_else(sandbox: Sandbox, shell: Shell, file: str) -> None:
    assert shell("explain", "ci/web:build-3", "-f", file).exit == 0
    assert operations(sandbox) == ["DescribeImages", "BatchGetImage"]
    sandbox.faults = Faults(deny=["DescribeImages"])
    one_line(shell("explain", "ci/web:build-3", "-f", file), 3, "ecr:DescribeImages")


@pytest.mark.parametrize("seed", range(3))
def test_explain_and_plan_decide_alike_about_every_image(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    repo = Builder(sandbox, "ci/web")
    fill_at_random(repo, draw)
    file = policy_file(tmp_path / "p.json", policy(*draw.sample(RULES, 3)))
    document = json.loads(shell("plan", "-f", file, "--output", "json", "--at", "2030-01-01").out)
    planned = {image["digest"]: image for image in document["repositories"][0]["images"]}
    for digest in repo.digests.values():
        words = ("explain", f"ci/web@{digest}", "-f", file, "--output", "json", "--at", "2030-01-01")
        image = json.loads(shell(*words).out)["image"]
        assert (image["decision"], image["reasons"]) == (planned[digest]["decision"], planned[digest]["reasons"])
        assert (image["decision"] == "collected") is (digest in going(document)["ci/web"])


def test_an_image_may_be_named_as_deployments_do(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox, "ci/web")
    repo.image("a", "build-1")
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    for name in (
        f"{host}/ci/web:build-1",
        f"{host}/ci/web:gone@{repo.digests['a']}",
        f"{host}/ci/web@{repo.digests['a']}",
    ):
        finished = shell("explain", name, "--keep", "build=1", AWS_DEFAULT_REGION=None)
        assert (finished.exit, besides_announcements(finished.err)) == (0, []), name
        assert repo.digests["a"] in finished.out
    contradiction = shell("explain", f"{host}/ci/web:build-1", "--keep", "build=1", "--region", "eu-west-1")
    assert contradiction.exit == 2
    assert "it is in us-east-1, and --region, or another image, says eu-west-1" in contradiction.err


def test_a_mistyped_tag_is_answered_with_those_that_are_close(sandbox: Sandbox, shell: Shell) -> None:
    repo = Builder(sandbox, "ci/web")
    repo.image("a", "build-64cd372")
    finished = shell("explain", "ci/web:build-64cd371", "--keep", "build=1")
    assert (finished.exit, finished.err) == (
        2,
        "aws-ecr-gc: ci/web:build-64cd371: no such image; did you mean build-64cd372?\n",
    )
