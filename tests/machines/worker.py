"""One machine that works for the state machine: `python -m tests.machines.worker QUEUE CLAIMS`.

It takes events from a queue, hands them to the program's doors for Lambda, and answers with the task's token. Before it
begins it says what it is at in a file of CLAIMS named by its process, so that who kills it half way knows whom to kill.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from aws_ecr_gc import lambda_handler
from aws_ecr_gc.errors import Error

_DOORS = {"pair": lambda_handler.pair, "fleet": lambda_handler.fleet}
_MOST_TRIES = 3
_HIDDEN = 900
"""Seconds for which nobody else gets a message that somebody took: as long as a function may work."""


class Context:
    """What Lambda would hand over: nothing here ends before its time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Claim(Struct):
    """What a worker is at, and by which receipt somebody else can get it."""

    account: str
    region: str
    receipt: str


def main(queue: str, claims: Path) -> None:
    """Work until killed. The state machine is where the queue is; everything else, where the environment says."""
    session, where = botocore.session.Session(), "{0.scheme}://{0.netloc}".format(urlsplit(queue))
    sqs, machine = (session.create_client(service, endpoint_url=where) for service in ("sqs", "stepfunctions"))
    own = claims / f"{os.getpid()}.json"
    while True:
        taken = sqs.receive_message(
            QueueUrl=queue,
            WaitTimeSeconds=1,
            VisibilityTimeout=_HIDDEN,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        for message in taken.get("Messages", []):
            body, receipt = json.loads(message["Body"]), message["ReceiptHandle"]
            claim = Claim(body["event"].get("account", ""), body["event"].get("region", ""), receipt)
            own.with_suffix(".part").write_bytes(msgspec.json.encode(claim))
            own.with_suffix(".part").replace(own)
            try:
                if int(message["Attributes"]["ApproximateReceiveCount"]) > _MOST_TRIES:
                    machine.send_task_failure(taskToken=body["token"], error="Killed", cause="at every try")
                else:
                    _work(machine, body)
            except ClientError as error:  # somebody else has answered: this was delivered twice
                if error.response["Error"]["Code"] not in {"TaskTimedOut", "InvalidToken", "TaskDoesNotExist"}:
                    raise
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=receipt)


def _work(machine: Any, body: dict[str, Any]) -> None:
    try:
        result = _DOORS[body["function"]](body["event"], Context())
    except Error as error:
        machine.send_task_failure(taskToken=body["token"], error=type(error).__name__, cause=str(error))
    else:
        machine.send_task_success(taskToken=body["token"], output=json.dumps({"Payload": result}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
