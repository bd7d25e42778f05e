"""The leaner way over botocore's connections does what botocore's own does: held against it, on the wire."""

import gc
import gzip
import json
import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.httpsession import URLLib3Session

from aws_ecr_gc.aws import transport
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.aws.transport import Lean, has_more
from aws_ecr_gc.errors import Error
from tests.discovery.kubernetes.certificates import made as certificates
from tests.registries.scripted import BODY, Said, Scripted, answer

DIGESTS = [f"sha256:{number:064}" for number in range(100)]


@pytest.fixture(autouse=True)
def _set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def opened(url: str, *, lean: bool = True, attempts: int = 1, read_timeout: float | None = None) -> Client:
    """A client, with its transport or with botocore's own."""
    client = Session(None, "us-east-1").client("ecr", endpoint_url=url, attempts=attempts)
    endpoint = client._client._endpoint
    assert type(endpoint.http_session) is Lean
    if read_timeout is not None:
        endpoint.http_session._session._manager.connection_pool_kw["timeout"] = read_timeout
    if not lean:
        endpoint.http_session = endpoint.http_session._session
    return client


def both(script: list[Said], ask: Callable[[Client], Any], **options: Any) -> list[tuple[Any, list[Any], int]]:
    """What comes of it either way: the result or the error, what was asked, over how many connections."""
    found = []
    for lean in (True, False):
        with Scripted(script) as server:
            client = opened(server.url, lean=lean, **options)
            try:
                result: Any = ask(client)
            except Error as error:
                result = (type(error), str(error).replace(server.url, "URL"), error.code)
            client.close()
            found.append((result, [body for _, body in server.requests], server.connections))
    return found


def twice(client: Client) -> Any:
    """Two calls, with what botocore says of the answers."""
    answers = [client.call("DescribeRepositories", "repositories") for _ in range(2)]
    return [(each["repositories"], each["ResponseMetadata"]["HTTPHeaders"]) for each in answers]


TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\n" + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    "said",
    [
        answer(),
        [bytes([each]) for each in answer()],
        answer().replace(b"Content-Length: ", b"content-length:   "),
        answer(BODY, b"x-amzn-RequestId: 1", b"X-Twice: a", b"x-twice: b"),
        answer(BODY, b"X-Folded: a", b" b"),
        answer(BODY, b"Connection: close"),
        answer(BODY, "X-Latin: \xe4".encode("latin-1")),
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
        answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
        TO_THE_END,
        CHUNKED,
        [CHUNKED[:70], CHUNKED[70:]],
    ],
)
def test_every_form_of_an_answer_reads_the_same(said: Said) -> None:
    lean, own = both([said] if said == TO_THE_END else [said, said], twice)
    assert lean == own
    assert len(lean[1]) == 2


@pytest.mark.parametrize(
    "said",
    [
        answer(BODY)[:-5],
        answer(gzip.compress(BODY), b"Content-Encoding: gzip"),
        CHUNKED[:-20],
        answer(b'{"__type":"ServerException"}', status=b"500 Server Error"),
        answer(b'{"__type":"RepositoryNotFoundException","message":"it is not there"}', status=b"400 Bad Request"),
        b"",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),  # a reset
    ],
)
def test_what_goes_wrong_is_the_same_error_after_the_same_tries(said: Said) -> None:
    lean, own = both([said], lambda client: client.call("DescribeRepositories", "repositories"), attempts=2)
    assert isinstance(lean[0], tuple)
    assert lean == own


def test_an_answer_that_does_not_come_in_time_is_the_same_error() -> None:
    lean, own = both([lambda _: time.sleep(2)], lambda client: client.call("X", "y"), read_timeout=0.2)
    assert lean == own
    lean, own = both(
        [lambda _: time.sleep(2)],
        lambda client: client.call("DescribeRepositories", "repositories"),
        read_timeout=0.2,
    )
    assert "Read timeout on endpoint URL" in lean[0][1]
    assert lean == own


def test_an_address_where_nobody_listens_is_the_same_error() -> None:
    said = set()
    for lean in (True, False):
        for url in ("http://127.0.0.1:1", "http://nowhere.invalid"):
            client = opened(url, lean=lean)
            with pytest.raises(Error, match="can't be reached: Could not connect to the endpoint URL") as caught:
                client.call("DescribeRepositories", "repositories")
            said.add(str(caught.value))
    assert len(said) == 2


def idle(client: Client) -> Any:
    """The connections that wait for a call."""
    return client._client._endpoint.http_session._idle


def test_connections_are_used_again_and_those_that_were_closed_meanwhile_are_not() -> None:
    with Scripted([answer()] * 2) as server:
        client = opened(server.url)
        for number in range(3):
            twice(client)
            assert (server.connections, len(idle(client))) == (number + 1, 1)
            assert has_more(idle(client)[0].sock, 10)  # the server has hung up, and that has come here
        client.close()
        assert not idle(client)
        twice(client)
        client.close()
        assert server.connections == 4


def test_after_an_answer_that_was_cut_off_the_connection_is_not_used_again() -> None:
    with Scripted([answer()[:-5]], [answer()] * 2) as server:
        client = opened(server.url)
        with pytest.raises(Error):
            client.call("DescribeRepositories", "repositories")
        assert not idle(client)
        twice(client)
        client.close()
        assert server.connections == 2


def normal(request: tuple[dict[str, str], bytes]) -> tuple[dict[str, str], Any]:
    """A request without what differs from call to call."""
    headers, body = request
    headers = dict(headers)
    headers["authorization"] = re.sub("Signature=[0-9a-f]{64}", "Signature", headers["authorization"])
    for name in ("x-amz-date", "amz-sdk-invocation-id", "content-length"):
        assert headers.pop(name)
    return headers, json.loads(body)


def test_the_same_is_said_to_aws_and_in_one_piece() -> None:
    ids = [{"imageDigest": digest, "imageTag": "ä"} for digest in DIGESTS]
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("DescribeRepositories", "repositories", {}),
        ("BatchDeleteImage", "imageIds", {"repositoryName": "team/one", "imageIds": ids}),
        ("BatchGetImage", "images", {"repositoryName": "team/one", "imageIds": [{"imageDigest": DIGESTS[0]}]}),
    ]
    asked = []
    for lean in (True, False):
        with Scripted([answer(b'{"repositories":[],"imageIds":[],"images":[]}')] * 3) as server:
            client = opened(server.url, lean=lean)
            if not lean:
                client._client._serializer = client._client._serializer._whole
            for operation, member, parameters in calls:
                client.call(operation, member, **parameters)
            client.close()
        asked.append([normal(each) for each in server.requests])
        for each in asked[-1]:
            each[0]["host"] = each[0]["host"].rpartition(":")[0]
    assert asked[0] == asked[1]
    assert "User-Agent".lower() in asked[0][0][0]
    assert "aws-ecr-gc/" in asked[0][0][0]["user-agent"]


def test_ids_that_botocore_would_refuse_are_still_refused() -> None:
    client = opened("http://127.0.0.1:1")
    for wrong in (3, {"imageDigest": 3}, {"digest": "sha256:0"}):
        with pytest.raises(Error) as caught:
            client.call("BatchGetImage", "images", repositoryName="one", imageIds=[{"imageDigest": "a"}, wrong])
        assert caught.value.code == "ParamValidationError"


def test_a_proxy_is_gone_through_and_no_proxy_goes_round_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted([answer()]) as proxy, Scripted([answer()]) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        client = opened("http://registry.example:8000")
        client.call("DescribeRepositories", "repositories")
        client.close()
        assert proxy.lines == ["POST http://registry.example:8000/ HTTP/1.1"]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        client = opened(server.url)
        client.call("DescribeRepositories", "repositories")
        client.close()
        assert (proxy.connections, server.lines) == (1, ["POST / HTTP/1.1"])


def test_only_authorities_of_the_aws_configuration_are_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = certificates(tmp_path / "tls")
    said = set()
    with Scripted([answer()] * 2, tls=(str(made.certificate), str(made.key))) as server:
        for lean in (True, False):
            client = opened(server.url, lean=lean)
            with pytest.raises(Error, match="SSL validation failed") as caught:
                client.call("DescribeRepositories", "repositories")
            said.add(str(caught.value))
            client.close()
        assert len(said) == 1
        asked = len(server.requests)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(made.authority))
        client = opened(server.url)
        twice(client)
        client.close()
        assert (asked, len(server.requests)) == (0, 2)


def test_what_tls_has_read_beyond_an_answer_is_no_answer_to_the_next_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Head and body come in a record each, and the second holds more than its length says: no poll sees that."""
    made = certificates(tmp_path / "tls")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(made.authority))
    head, end, body = answer().partition(b"\r\n\r\n")
    surplus = answer(b'{"repositories":[{"repositoryName":"none"}]}')
    tls = (str(made.certificate), str(made.key))
    with Scripted([[head + end, body + surplus], answer()], [answer()], tls=tls) as server:
        client = opened(server.url)
        for number in (1, 2):
            assert client.call("DescribeRepositories", "repositories")["repositories"] == []
            assert server.connections == number
        client.close()


def test_where_botocore_is_another_inside_its_own_transport_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_USED", ("what_a_later_one_may_lack",))
    with Scripted([answer()]) as server:
        client = Session(None, "us-east-1").client("ecr", endpoint_url=server.url, attempts=1)
        assert type(client._client._endpoint.http_session) is URLLib3Session
        client.call("DescribeRepositories", "repositories")
        client.close()


def test_endpoints_that_are_not_plain_go_botocores_own_way() -> None:
    with Scripted([answer()]) as server:
        client = opened(f"{server.url}/prefix/")
        client.call("DescribeRepositories", "repositories")
        client.close()
        assert server.lines == ["POST /prefix/ HTTP/1.1"]


def test_connections_of_a_client_that_nobody_closed_are_closed_with_it() -> None:
    with Scripted([answer()]) as server:
        client: Client | None = opened(server.url)
        assert client is not None
        client.call("DescribeRepositories", "repositories")
        waiting = idle(client)
        assert waiting
        client = None
        gc.collect()
        assert not waiting
