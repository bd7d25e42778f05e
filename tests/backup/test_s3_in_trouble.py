"""An S3 that answers with nothing but refusals: it is AWS that failed, not what was typed."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.conftest import Shell
from tests.restore.conftest import repo, run, shell

__all__ = ["repo", "shell"]


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of such an S3."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("repo")
def test_a_restore_from_there_is_exit_3(shell: Shell, refusing: str) -> None:
    journal = run(shell, "--no-restore")
    for words in ((journal,), ("--repo", "testrepo")):
        done = shell("restore", *words, "--from", "s3://backups/ecr", AWS_ENDPOINT_URL_S3=refusing)
        assert done.exit == 3, done.err
        assert "backup s3://backups/ecr/123456789012/us-east-1/testrepo/: can't be read" in done.err
