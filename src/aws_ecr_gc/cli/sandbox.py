"""`aws-ecr-gc sandbox`: the registry stand-in on loopback."""

import argparse
import signal
import threading
from collections.abc import Sequence

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse

_PORT = 4566
_HOW_TO = """\
ECR's stand-in answers at {url}. Point boto3 or the AWS CLI at it with:

  export AWS_ENDPOINT_URL={url}
  export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=sandbox
  export AWS_DEFAULT_REGION={region}

An access key of 12 digits is that account. Stop with Ctrl-C.
"""


def parser() -> Parser:
    """The flags."""
    made = Parser("aws-ecr-gc sandbox", "ECR's API over HTTP on loopback: for tests, demonstrations and rehearsals.")
    made.value("port", metavar="PORT", type=port, default=_PORT, help=f"on 127.0.0.1; 0: any (default: {_PORT})")
    made.value("scenario", guarded=True, metavar="FILE", help="YAML or JSON: what the registry holds at first")
    return made


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM (exit code 0) or Ctrl-C (130)."""
    asked = parser().read(arguments)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    _serve(asked.port, asked.scenario, stopped)
    return Exit.DONE


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _serve(at: int, scenario: str | None, stopped: threading.Event) -> None:
    from aws_ecr_gc.sandbox import Sandbox, ScenarioError, load_scenario
    from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION

    try:
        sandbox = Sandbox(load_scenario(scenario) if scenario else None, port=at)
    except ScenarioError as error:
        raise Misuse(str(error)) from error
    except OSError as error:
        raise Misuse(f"port {at}: {error.strerror}") from error
    with sandbox:
        print(_HOW_TO.format(url=sandbox.url, account=DEFAULT_ACCOUNT, region=DEFAULT_REGION), flush=True)
        stopped.wait()
