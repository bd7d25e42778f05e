"""Runs moto's server on a free port: `python -m tests.aws.motochild`. It ends when its standard input does."""

import os
import sys

from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.moto_server.werkzeug_app import MotoRequestHandler


def main() -> None:
    """Say the port, then serve until whoever started this is gone."""
    # Head and body are two sends there; by Nagle's algorithm the second would wait for a delayed acknowledgement.
    MotoRequestHandler.disable_nagle_algorithm = True
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = str(server.get_host_and_port()[1])
    os.environ["MOTO_PORT"] = port  # where its state machines look for the other services
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
