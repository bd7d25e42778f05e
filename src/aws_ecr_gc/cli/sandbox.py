"""`aws-ecr-gc sandbox`: the registry stand-in on loopback."""

import argparse
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit, Misuse, one_line

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
    made.value(
        "advance",
        metavar="DURATION",
        type=advance,
        help="put the clock of the one that runs at --port forward, such as 30d, and tell what lifecycle policies did",
    )
    made.value("scenario", guarded=True, metavar="FILE", help="YAML or JSON: what the registry holds at first")
    return made


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM (exit code 0) or Ctrl-C (130); or put another one's clock forward."""
    asked = parser().read(arguments)
    if asked.advance is not None:
        if asked.scenario:
            raise Misuse(
                "--advance is for a sandbox that runs already, and --scenario for a new one; leave one of them out"
            )
        return _advance(asked.port, asked.advance)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    _serve(asked.port, asked.scenario, stopped)
    return Exit.DONE


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def advance(text: str) -> str:
    """A duration."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?[smhdw]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration, such as 30d or 36h")
    return text


def _advance(at: int, duration: str) -> Exit:
    """Put the clock forward, and print what became of which image."""
    import json
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, Request, build_opener

    url = f"http://127.0.0.1:{at}/_sandbox/clock?advance={duration}"
    try:
        with build_opener(ProxyHandler({})).open(Request(url, method="POST")) as answer:
            content = json.load(answer)
        lines = list(_happened(content))
    except (HTTPError, URLError, OSError, ValueError, KeyError) as error:
        raise Misuse(f"port {at}: no sandbox that can be put forward answers there: {one_line(error)}") from error
    print(*lines, sep="\n")
    return Exit.DONE


def _happened(content: dict[str, Any]) -> Iterator[str]:
    """What was done, each on a line; what failed day after day on one."""
    failed: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for each in content["lifecycle"]:
        if each["failure"] is not None:
            failed.setdefault((each["repository"], each["digest"], each["action"]), []).append(each)
            continue
        why = "with its subject" if each["rule"] is None else f"by rule {each['rule']}"
        yield f"{_moment(each['at'])}: {_named(each)} {why}"
    for of_it in failed.values():
        last = of_it[-1]
        yield f"failed {len(of_it)} times, last {_moment(last['at'])}: {_named(last)}: {last['failure']}"
    yield f"It is {_moment(content['now'])} UTC"


def _named(action: dict[str, Any]) -> str:
    tags = ", ".join(action["tags"])
    return f"{action['action']} {action['repository']} {action['digest'][:16]}... [{tags}]"


def _moment(epoch: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")


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
