"""`unarchive` where others work on the same images while it waits."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.unarchive import Asked, Wanted, unarchive
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.errors import Exit, Interrupted
from aws_ecr_gc.report import unarchived
from aws_ecr_gc.sandbox import Behaviour, Sandbox, Scenario
from tests.conftest import Finished, Shell
from tests.wire.builder import Builder


class Archive:
    """`app` with an index of one platform, its signature, and a single image, all archived."""

    def __init__(self, sandbox: Sandbox, shell: Shell) -> None:
        sandbox.reset(Scenario(behaviour=Behaviour(activation_seconds=0.3)))
        shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self.sandbox = sandbox
        self.shell = shell
        self.builder = Builder(sandbox, "app")
        self.builder.image("platform")
        self.builder.index("index", "build-1", children=["platform"])
        self.builder.image("signature", subject="index")
        self.builder.image("single", "build-2")
        self.builder.image("another", "build-3")
        self.repository = self.builder.repository
        for digest in self.builder.digests.values():
            self.repository.archive(digest)

    def wait(
        self, *tags: str, longest: float = 20.0, output: str = "text", stop: Callable[[], bool] = lambda: False
    ) -> Finished:
        """`unarchive --wait`, but with short pauses, and nothing known of what the index lists."""
        out, err = io.StringIO(), io.StringIO()
        asked = Asked(
            images=tuple(Wanted("app", tag, None) for tag in tags),
            connection=Connection(),
            directories=Directories(self.shell.home / "empty", self.shell.home / "state"),
            wait=True,
            poll=0.1,
            longest=longest,
            output=output,
        )
        with self.shell.environment_of({}):
            code = unarchive(asked, now=self.sandbox.clock.now(), console=Console(out, err, stop))
        return Finished(code, out.getvalue(), err.getvalue())

    def meanwhile(self, action: Callable[[str], None], *names: str) -> None:
        """Before the first look that names some of them: the listing is the look before."""

        def act(request: dict[str, Any]) -> None:
            if not request.get("imageIds"):
                return
            for name in names:
                if self.builder.digests[name] in self.repository.images:
                    action(self.builder.digests[name])

        for call in (1, 2, 3):
            self.sandbox.before("DescribeImages", act, call=call)

    def looks(self) -> int:
        return sum(call.operation == "DescribeImages" for call in self.sandbox.calls)


@pytest.fixture
def archive(sandbox: Sandbox, shell: Shell) -> Archive:
    return Archive(sandbox, shell)


def test_an_image_that_is_deleted_meanwhile_is_a_failure(archive: Archive) -> None:
    archive.meanwhile(archive.repository.remove, "single")
    done = archive.wait("build-2")
    assert done.exit == Exit.SOME_FAILED
    assert "[build-2] failed: deleted meanwhile (asked for)\n" in done.out
    assert "protect" not in done.out


def test_the_others_come_back_where_one_is_deleted_meanwhile(archive: Archive) -> None:
    archive.meanwhile(archive.repository.remove, "single")
    done = archive.wait("build-2", "build-1")
    assert done.exit == Exit.SOME_FAILED
    assert "[build-2] failed: deleted meanwhile (asked for)\n" in done.out
    assert "[build-1] active (asked for)\n" in done.out
    assert "[] active (listed by one of these)\n" in done.out
    assert archive.repository.images[archive.builder.digests["platform"]].status == "ACTIVE"


def test_what_is_archived_again_meanwhile_is_left_there_and_told(archive: Archive) -> None:
    archive.meanwhile(archive.repository.archive, "index")
    started = time.monotonic()
    done = archive.wait("build-1", "build-2")
    assert time.monotonic() - started < 15
    assert done.exit == Exit.SOME_FAILED
    assert "[build-1] in the archive again (asked for)\n" in done.out
    assert "[build-2] active (asked for)\n" in done.out
    assert archive.looks() < 50


def test_waiting_ends_in_time_and_at_a_signal(archive: Archive) -> None:
    archive.sandbox.clock.advance(1)
    archive.meanwhile(lambda digest: archive.repository.restore(digest, 3600.0), "single")
    done = archive.wait("build-2", longest=0.5)
    assert done.exit == Exit.SOME_FAILED
    assert "not everything is active after 0 minutes" in done.err
    assert "[build-2] already on the way back" not in done.out
    looks = archive.looks()
    with pytest.raises(Interrupted, match="what was begun goes on by itself"):
        archive.wait("build-2", stop=lambda: archive.looks() > looks + 2)


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_is_active_already_is_told_so_and_nothing_is_advised_or_billed(archive: Archive, output: str) -> None:
    for digest in archive.builder.digests.values():
        archive.repository.restore(digest)
    done = archive.wait("build-1", output=output)
    assert done.exit == Exit.DONE
    if output == "text":
        assert "[build-1] already active (asked for)\n" in done.out
        assert "[] already active (listed by one of these)\n" in done.out
        assert "protect" not in done.out
        assert "billed" not in done.out
        return
    document = json.loads(done.out)
    assert [each["asked_now"] for each in document["images"]] == [False, False, False]
    jsonschema.validate(document, unarchived.schema())


def test_what_came_back_is_billed_though_it_is_there_by_now(archive: Archive) -> None:
    archive.repository.change(archive.builder.digests["single"], size=100 << 30)
    assert json.loads(archive.wait("build-2", output="json").out)["retrieval_usd"] == 3.0
    archive.repository.change(archive.builder.digests["another"], size=1000)
    done = archive.wait("build-3")
    assert "is billed: less than $0.01 for 1.0 kB\n" in done.out
