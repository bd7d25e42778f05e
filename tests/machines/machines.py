"""The state machine of `deploy/` on moto's interpreter, with processes that do its work against the stand-in.

moto's `lambda:invoke` only echoes. So the same state machine calls through a queue instead, with a task token; nothing
else of it is changed, but for the seconds between retries.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
import msgspec

from aws_ecr_gc.sandbox import Sandbox
from tests.aws.neutral import Moto
from tests.machines.worker import Claim

ROOT = Path(__file__).parents[2]
BUCKET = "ecr-gc"
_INVOKE = "arn:aws:states:::lambda:invoke"
_QUEUED = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
_ROLE = "arn:aws:iam::123456789012:role/machine"


def definition() -> dict[str, Any]:
    """The state machine as it is deployed, with the names that CloudFormation would put in."""
    text = (ROOT / "deploy/fleet.asl.json").read_text()
    for name, stated in {"Bucket": BUCKET, "PairFunction": "pair", "FleetFunction": "fleet"}.items():
        text = text.replace(f"${{{name}}}", stated)
    found: dict[str, Any] = json.loads(text)
    return found


def through_queue(part: Any, queue: str) -> Any:
    """The same with every call of a function through the queue."""
    if isinstance(part, list):
        return [through_queue(each, queue) for each in part]
    if not isinstance(part, dict):
        return part
    made = {name: through_queue(each, queue) for name, each in part.items()}
    if made.get("Resource") == _INVOKE:
        called = made["Parameters"]
        body = {"token.$": "$$.Task.Token", "function": called["FunctionName"], "event": called["Payload"]}
        made |= {"Resource": _QUEUED, "Parameters": {"QueueUrl": queue, "MessageBody": body}}
    if "BackoffRate" in made:
        made |= {"IntervalSeconds": 1, "MaxAttempts": 1}
    return made


class Machines:
    """Workers, and those who kill them: `strikes` says how often at which call on which repository."""

    def __init__(self, sandbox: Sandbox, folder: Path, workers: int) -> None:
        self.sandbox = sandbox
        self.strikes: Counter[tuple[str, str]] = Counter()
        self.killed = 0
        self._claims = folder / "claims"
        self._claims.mkdir()
        self._folder = folder
        self._moto = Moto(runs_state_machines=True)
        self._session = botocore.session.Session()
        self.s3, self.sqs, self.machine = map(self._client, ("s3", "sqs", "stepfunctions"))
        self.s3.create_bucket(Bucket=BUCKET)
        self.queue = self.sqs.create_queue(QueueName="work")["QueueUrl"]
        self._log = (folder / "workers.log").open("w")
        self._workers = [self._worker() for _ in range(workers)]

    def close(self) -> None:
        """End the workers and moto, each by its own id."""
        for each in self._workers:
            each.kill()
            each.wait()
        self._log.close()
        self._moto.close()

    def listen(self, calls: int) -> None:
        """Strike at any of so many calls of each operation."""
        for operation in ("DescribeImages", "BatchDeleteImage"):
            for call in range(1, calls + 1):
                self.sandbox.after(operation, partial(self._strike, operation), call=call)

    def run(self, name: str, mode: str, policy: str, seconds: float, *allow_unread: str) -> dict[str, Any]:
        """One execution to its end."""
        made = self.machine.create_state_machine(
            name=name, definition=json.dumps(through_queue(definition(), self.queue)), roleArn=_ROLE
        )
        begun = self.machine.start_execution(
            stateMachineArn=made["stateMachineArn"],
            name=name,
            input=json.dumps({"policy": policy, "mode": mode, "allow_unread": allow_unread}),
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ended: dict[str, Any] = self.machine.describe_execution(executionArn=begun["executionArn"])
            if ended["status"] != "RUNNING":
                return ended
            self._replace_the_dead()
            time.sleep(0.3)
        raise AssertionError(f"the state machine did not end in {seconds} s; {self.log()}")

    def counted(self, execution: str) -> list[dict[str, int]]:
        """For each map of an execution, how many items ended how, as Step Functions counts them."""
        maps = self.machine.list_map_runs(executionArn=execution)["mapRuns"]
        return [self.machine.describe_map_run(mapRunArn=each["mapRunArn"])["itemCounts"] for each in maps]

    def log(self) -> str:
        """The end of what the workers and moto said."""
        return (self._folder / "workers.log").read_text()[-3000:] + self._moto.log(40)

    def content(self, key: str) -> Any:
        """An object, decoded."""
        return json.loads(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        """The names of all objects under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def _strike(self, operation: str, request: dict[str, Any]) -> None:
        """Kill who makes this call, in the middle of it."""
        name = request["repositoryName"]
        if not self.strikes[operation, name]:
            return
        self.strikes[operation, name] -= 1
        _, account, region = name.split("-", 2)
        at_it = [each for each in self._workers if self._is_at(each.pid, account, region)]
        assert len(at_it) == 1, (operation, name, at_it)
        at_it[0].kill()
        self.killed += 1

    def _is_at(self, process: int, account: str, region: str) -> bool:
        path = self._claims / f"{process}.json"
        if not path.exists():
            return False
        claim = msgspec.json.decode(path.read_bytes(), type=Claim)
        return (claim.account, claim.region) == (account, region)

    def _replace_the_dead(self) -> None:
        """A worker for each that was killed; what it had taken is for others, as after the end of its time."""
        for at, each in enumerate(self._workers):
            if each.poll() is None:
                continue
            path = self._claims / f"{each.pid}.json"
            receipt = msgspec.json.decode(path.read_bytes(), type=Claim).receipt
            self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
            path.unlink()
            self._workers[at] = self._worker()

    def _worker(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.machines.worker", self.queue, str(self._claims)],
            cwd=ROOT,
            stderr=self._log,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                "TMPDIR": str(self._folder),
                "AWS_ENDPOINT_URL": self.sandbox.url,
                "AWS_ENDPOINT_URL_S3": self._moto.url,
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )

    def _client(self, service: str) -> Any:
        return self._session.create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self._moto.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
        )


@contextmanager
def machines(sandbox: Sandbox, folder: Path, workers: int) -> Iterator[Machines]:
    """Workers at the queue of a state machine."""
    made = Machines(sandbox, folder, workers)
    try:
        yield made
    finally:
        made.close()
