"""`aws-ecr-gc sandbox`: the stand-in on the command line. Nothing heavy is imported before it runs."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_ecr_gc.sandbox.sandbox import Sandbox

DEFAULT_PORT = 4566
EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED = 0, 2, 130

HOW_TO = """\
ECR's stand-in answers at {url}. Point boto3 or the AWS CLI at it with:

  export AWS_ENDPOINT_URL_ECR={url}
  export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=sandbox
  export AWS_DEFAULT_REGION={region}

An access key of 12 digits is that account. Stop with Ctrl-C.
"""


class _Terminated(Exception):
    """SIGTERM came."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1 (default: %(default)s; 0: any that is free)"
    )
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="YAML or JSON: what the registry holds at first")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code."""
    from aws_ecr_gc.sandbox.errors import ScenarioError  # noqa: PLC0415 - only when the command runs

    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        _serve(_open(arguments))
    except _Terminated:
        return EXIT_OK
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except ScenarioError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"port {arguments.port}: {error.strerror}")
    except OverflowError as error:
        return _complain(f"port {arguments.port}: {error}")
    finally:
        signal.signal(signal.SIGTERM, previous)
    return EXIT_OK


def _open(arguments: argparse.Namespace) -> "Sandbox":
    from aws_ecr_gc.sandbox.loading import load_scenario  # noqa: PLC0415 - only when the command runs
    from aws_ecr_gc.sandbox.sandbox import Sandbox  # noqa: PLC0415 - only when the command runs

    scenario = load_scenario(arguments.scenario) if arguments.scenario else None
    return Sandbox(scenario, port=arguments.port)


def _serve(sandbox: "Sandbox") -> None:
    from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION  # noqa: PLC0415 - only when the command runs

    with sandbox:
        print(HOW_TO.format(url=sandbox.url, account=DEFAULT_ACCOUNT, region=DEFAULT_REGION), flush=True)
        sandbox.serve_forever()


def _complain(reason: str) -> int:
    print(f"aws-ecr-gc sandbox: {reason}", file=sys.stderr)
    return EXIT_USAGE


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated
