"""A repository of builds, a run that deletes most of them, and what it holds before and after."""

from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, UNTAGGED, policy, policy_file


@pytest.fixture
def shell(shell: Shell, sandbox: Sandbox) -> Shell:
    """Who is asking is looked up, too."""
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    return shell


@pytest.fixture
def repo(sandbox: Sandbox) -> Builder:
    """Five builds, each an index of one child with a signature, and an image without tags."""
    made = Builder(sandbox)
    for number in range(5):
        made.image(f"child-{number}")
        made.index(f"index-{number}", f"build-{number}", f"also-build-{number}", children=[f"child-{number}"])
        made.image(f"signature-{number}", subject=f"index-{number}")
    made.image("loose")
    return made


def the_policy(shell: Shell, **settings: Any) -> str:
    """A policy file that keeps two builds."""
    rules = [{**BUILDS, "match": {"regex": "(also-)?build-.*"}}, UNTAGGED]
    return policy_file(shell.home / "policy.json", policy(*rules, **settings))


def run(shell: Shell, *words: str) -> str:
    """The journal of a run that deletes all but two builds."""
    finished = shell("run", "-f", the_policy(shell), "--yes", *words)
    assert finished.exit == 0, finished.err
    return finished.err.rpartition("journal: ")[2].strip()


def state(repo: Builder) -> dict[str, Any]:
    """What the repository holds, but for times."""
    images = repo.repository.images.values()
    return {image.digest: (sorted(image.tags), image.manifest, image.media_type, image.children) for image in images}
