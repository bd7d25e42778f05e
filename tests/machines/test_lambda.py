"""The doors for Lambda, opened by AWS's own runtime client: a runtime API on loopback hands out the events."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from aws_ecr_gc.sandbox import Sandbox
from tests.aws.conftest import aws, cloud, credentials, running_cloud
from tests.wire.builder import Builder
from tests.wire.policies import BUILDS, policy

__all__ = ["aws", "cloud", "credentials", "running_cloud"]

ACCOUNT, REGION = "111111111111", "eu-west-1"
POLICY = {
    "version": 1,
    "targets": {"accounts": [ACCOUNT], "regions": [REGION], "role": "gc"},
    "policies": [policy(BUILDS)],
}
RUN = "s3://ecr-gc/runs/night"
_SECONDS = 120

pytestmark = pytest.mark.skipif(find_spec("awslambdaric") is None, reason="needs awslambdaric, made for Linux")


class Runtime:
    """Lambda's runtime API for one function: events go out, what the function says comes back."""

    def __init__(self, seconds: float) -> None:
        events: Queue[dict[str, Any]] = Queue()
        answers: Queue[tuple[str, Any]] = Queue()
        self._events, self._answers = events, answers

        class Api(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = json.dumps(events.get()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + seconds) * 1000)))
                self.send_header(
                    "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f"
                )
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
                answers.put((self.path.rpartition("/")[2], said))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __call__(self, event: object) -> tuple[str, Any]:
        """`response` or `error`, and what was said."""
        self._events.put(event)  # type: ignore[arg-type]  # a broken event is one too
        return self._answers.get(timeout=_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Functions:
    """The function of a name, each in a process of AWS's runtime client."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._log = (folder / "lambda.log").open("w")
        self._running: dict[tuple[str, float], tuple[Runtime, subprocess.Popen[bytes]]] = {}

    def __call__(self, name: str, event: object, *, seconds: float = 900) -> tuple[str, Any]:
        if (name, seconds) not in self._running:
            runtime = Runtime(seconds)
            process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", f"aws_ecr_gc.lambda_handler.{name}"],
                env={**self._environment, "AWS_LAMBDA_RUNTIME_API": runtime.address},
                stdout=self._log,
                stderr=self._log,
            )
            self._running[name, seconds] = runtime, process
        return self._running[name, seconds][0](event)

    def close(self) -> None:
        for runtime, process in self._running.values():
            process.kill()
            process.wait()
            runtime.close()
        self._log.close()


@pytest.fixture
def repo(sandbox: Sandbox) -> Builder:
    made = Builder(sandbox, "app", account=ACCOUNT, region=REGION)
    for number in range(4):
        made.image(f"build-{number}", f"build-{number}")
    return made


@pytest.fixture
def functions(sandbox: Sandbox, credentials: dict[str, str], aws: Any, tmp_path: Path) -> Iterator[Functions]:
    aws("s3").create_bucket(Bucket="ecr-gc")
    environment = {
        **credentials,
        "AWS_ENDPOINT_URL_ECR": sandbox.url,
        "AWS_ENDPOINT_URL_STS": sandbox.url,
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
    }
    made = Functions(environment, tmp_path)
    yield made
    made.close()


def event(task: str, **more: object) -> dict[str, object]:
    return {"task": task, "policy": POLICY, "run": RUN, **more}


def of_pair(task: str, **more: object) -> dict[str, object]:
    return event(task, account=ACCOUNT, region=REGION, **more)


def test_the_stages_of_a_fleet_one_after_the_other(functions: Functions, repo: Builder, aws: Any) -> None:
    assert functions("fleet", event("pairs")) == ("response", {"pairs": 1, "absent": 0, "in_use": False})
    kind, planned = functions("pair", of_pair("plan"))
    assert (kind, planned["exit"], planned["planned"], planned["done"]) == ("response", 0, 2, 0)
    assert len(repo.repository.images) == 4
    kind, applied = functions("pair", of_pair("apply"))
    assert (kind, applied["exit"], applied["done"]) == ("response", 0, 2)
    assert repo.names() == {"build-2", "build-3"}
    assert functions("pair", of_pair("apply")) == (kind, applied), "delivered twice, done once"
    kind, report = functions("fleet", event("merge", stage="apply"))
    assert (report["exit"], report["pairs"], report["done"]) == (0, 1, 2)
    keys = [each["Key"] for each in aws("s3").list_objects_v2(Bucket="ecr-gc")["Contents"]]
    assert any(key.startswith("journals/journal-") for key in keys)
    assert len([key for key in keys if key.startswith("runs/night/apply/")]) == 1


def test_of_two_attempts_at_once_the_first_result_stands(
    sandbox: Sandbox, functions: Functions, repo: Builder, aws: Any
) -> None:
    key = f"runs/night/plan/{ACCOUNT}-{REGION}.json"
    meanwhile = []

    def kept() -> bytes:
        content: bytes = aws("s3").get_object(Bucket="ecr-gc", Key=key)["Body"].read()
        return content

    def another(_: object) -> None:
        meanwhile.append((functions("pair", of_pair("plan"), seconds=800), kept()))

    sandbox.after("DescribeImages", another)
    answer = functions("pair", of_pair("plan"))
    assert meanwhile == [(answer, kept())]
    assert len(repo.repository.images) == 4


def test_a_policy_in_s3_is_read_there(functions: Functions, repo: Builder, aws: Any) -> None:  # noqa: ARG001 - it is planned
    aws("s3").put_object(Bucket="ecr-gc", Key="policy.json", Body=json.dumps(POLICY).encode())
    kind, planned = functions("pair", of_pair("plan", policy="s3://ecr-gc/policy.json"))
    assert (kind, planned["planned"]) == ("response", 2)
    kind, said = functions("pair", of_pair("plan", policy="s3://ecr-gc/other.yaml"))
    assert (kind, said["errorType"]) == ("error", "Misuse")
    assert said["errorMessage"] == "policy s3://ecr-gc/other.yaml: isn't there"


def test_what_does_not_end_in_its_time_leaves_no_result_and_the_next_attempt_goes_on(
    functions: Functions, repo: Builder
) -> None:
    kind, said = functions("pair", of_pair("plan"), seconds=0.001)
    assert (kind, said["errorType"]) == ("error", "Unfinished")
    assert functions("pair", of_pair("plan"))[0] == "response"
    kind, said = functions("pair", of_pair("apply"), seconds=0.001)
    assert (kind, said["errorType"]) == ("error", "Unfinished")
    kind, applied = functions("pair", of_pair("apply"))
    assert (kind, applied["done"]) == ("response", 2)
    assert len(repo.repository.images) == 2


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({"task": "delete"}, "event: Invalid enum value 'delete'"),
        ({"account": "1"}, "event: Expected `str` matching regex"),
        ({"run": "runs/night"}, "event: Expected `str` matching regex"),
        ({"dry_run": True}, "event: Object contains unknown field `dry_run`"),
        ({"policy": {"version": 9}}, "version"),
    ],
)
def test_an_event_that_makes_no_sense_is_an_error_of_one_line(
    functions: Functions, broken: dict[str, object], complaint: str
) -> None:
    kind, said = functions("pair", {**of_pair("plan"), **broken})
    assert (kind, said["errorType"]) == ("error", "Misuse")
    assert complaint in said["errorMessage"]
    assert "\n" not in said["errorMessage"]
