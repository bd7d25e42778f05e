"""What every test may use: the stand-in, and the command line run against it."""

import contextlib
import gc
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from aws_ecr_gc.cli.main import main
from aws_ecr_gc.sandbox import Sandbox

FULL = bool(os.environ.get("AWS_ECR_GC_FULL"))
"""Whether the stress runs are to be unbounded: `make test-full`."""

settings.register_profile("bounded", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", settings.get_profile("bounded"), max_examples=5000)
settings.load_profile("full" if FULL else "bounded")


class Finished(NamedTuple):
    """How a command ended."""

    exit: int
    out: str
    err: str


class Shell:
    """Runs `aws-ecr-gc` in this process, in a home of its own, against the stand-in."""

    def __init__(self, home: Path, url: str) -> None:
        self.home = home
        self.environment = {
            "AWS_ENDPOINT_URL_ECR": url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": str(home / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
            "HOME": str(home),
            "PATH": os.environ["PATH"],
        }

    def __call__(self, *words: str, **environment: str | None) -> Finished:
        """Run a command line; a variable that is None is unset for it."""
        out, err = io.StringIO(), io.StringIO()
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        with self.environment_of(environment), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(words)
            except SystemExit as ended:  # argparse's way to end --help and --version
                code = int(ended.code or 0)
            finally:
                gc.enable()  # a command turns it off, for its process ends with it, and this one does not
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        return Finished(int(code), out.getvalue(), err.getvalue())

    @contextlib.contextmanager
    def environment_of(self, changes: dict[str, str | None]) -> Iterator[None]:
        """The environment of a command, as long as the block lasts."""
        saved = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.with_changes(changes))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(saved)

    def with_changes(self, changes: dict[str, str | None]) -> dict[str, str]:
        """The environment of a command, for those that start a process of their own."""
        merged: dict[str, str | None] = {**self.environment, **changes}
        return {name: value for name, value in merged.items() if value is not None}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path) -> Shell:
    return Shell(tmp_path, sandbox.url)
