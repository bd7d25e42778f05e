"""Directories of backups: a full disk, kills, what strangers wrote; and downloads through proxies."""

import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.backup import Listed, listed_in, place_of
from aws_ecr_gc.backup.layout import EARLIER_TAG, STANDS_FOR, TAG, stand_in_for, with_images
from aws_ecr_gc.errors import BackupLost, Misuse, Passing
from aws_ecr_gc.manifest import is_digest, parts_of
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, digest_of, layer, write
from tests.conftest import Shell
from tests.journal.test_files import files_no_larger_than
from tests.restore.conftest import run, the_policy
from tests.restore.conftest import shell as _shell
from tests.wire.builder import Builder

shell = _shell
MIB = 1 << 20
REPOSITORY = Repository(Registry("123456789012", "us-east-1", "aws"), "testrepo")


def no_s3() -> Any:
    raise AssertionError("no S3 is asked for")


def test_a_disk_that_fills_leaves_nothing_half_written(tmp_path: Path) -> None:
    layout = place_of(str(tmp_path), no_s3).layout(REPOSITORY)
    content = b"x" * 100_000
    with files_no_larger_than(50_000), pytest.raises(BackupLost, match="can't be written: File too large"):
        layout.write(digest_of(content), len(content), [content])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not layout.has(digest_of(content), None)
    layout.write(digest_of(content), len(content), [content])
    assert layout.has(digest_of(content), len(content))


@pytest.mark.parametrize("content", [b"", b"x", b"xy" * 3])
def test_what_is_something_else_than_its_digest_says_has_no_name(tmp_path: Path, content: bytes) -> None:
    layout = place_of(str(tmp_path), no_s3).layout(REPOSITORY)
    for digest, size in ((digest_of(b"else"), None), (digest_of(content), len(content) + 1)):
        with pytest.raises(Passing, match="what was downloaded is something else"):
            layout.write(digest, size, [content])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("digest", ["sha256:../../x", "sha256:abc", "md5:" + "0" * 32, "", "sha256:" + "A" * 64])
def test_no_digest_leads_out_of_the_layout(tmp_path: Path, digest: str) -> None:
    assert not is_digest(digest)
    layout = place_of(str(tmp_path / "in"), no_s3).layout(REPOSITORY)
    with pytest.raises(ValueError, match="no digest of a kind that is known"):
        layout.write(digest, None, [b"x"])
    with pytest.raises(ValueError, match=r".+"):
        listed_in(json.dumps({"manifests": [{"digest": digest}]}).encode())


def test_an_index_json_that_is_none_stops_the_deletion(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    repo = Builder(sandbox)
    for number in range(3):
        repo.image(f"image-{number}", f"build-{number}")
    layout = tmp_path / "b/123456789012/us-east-1/testrepo"
    layout.mkdir(parents=True)
    (layout / "index.json").write_text("no JSON")
    finished = shell("run", "-f", the_policy(shell), "--yes", "--backup", str(tmp_path / "b"))
    assert finished.exit == 2
    assert "its index.json is none: " in finished.err
    assert not sandbox.deletions
    again = shell("restore", "--from", str(tmp_path / "b"), "--repo", "testrepo")
    assert (again.exit, "its index.json is none: " in again.err) == (2, True)


DIGESTS = [digest_of(str(number).encode()) for number in range(4)]
LISTED = st.builds(
    Listed,
    st.sampled_from(DIGESTS),
    st.sampled_from([OCI_IMAGE, "application/vnd.docker.distribution.manifest.v2+json"]),
    st.just(7),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True).map(tuple),
).map(
    lambda image: Listed(
        image.digest, image.media_type, 7, image.tags, stand_in_for(image.digest, image.media_type, b"{}     ")
    )
)


@given(st.lists(st.lists(LISTED, max_size=4), max_size=4))
def test_an_index_keeps_every_image_and_gives_each_tag_to_the_last(backups: list[list[Listed]]) -> None:
    index = None
    latest: dict[str, str] = {}
    for images in backups:
        index = with_images(index, images)
        latest |= {tag: image.digest for image in images for tag in image.tags}
        assert with_images(index, images) == index or len({i.digest for i in images}) < len(images) or _clash(images)
    found = [] if index is None else listed_in(index)
    assert {each.digest for each in found} == {image.digest for images in backups for image in images}
    assert {tag: each.digest for each in found for tag in each.tags} == latest
    entries = [] if index is None else json.loads(index)["manifests"]
    for entry in entries:
        annotations = entry.get("annotations", {})
        assert annotations.keys() <= {TAG, EARLIER_TAG, STANDS_FOR}
        assert STANDS_FOR not in annotations or latest[annotations[TAG]] == annotations[STANDS_FOR]
    named = [(entry["digest"], entry["annotations"][TAG]) for entry in entries if TAG in entry.get("annotations", {})]
    assert len(named) == len(set(named))


def _clash(images: list[Listed]) -> bool:
    tags = [tag for image in images for tag in image.tags]
    return len(tags) > len(set(tags))


def test_what_else_stands_in_an_index_stays() -> None:
    stranger = {"mediaType": "x/y", "digest": DIGESTS[0], "size": 1, "platform": {"os": "plan9"}, "urls": ["u"]}
    index = json.dumps({"schemaVersion": 2, "manifests": [stranger]}).encode()
    added = json.loads(with_images(index, [Listed(DIGESTS[1], OCI_IMAGE, 7, ("a",))]))["manifests"]
    assert added[0] == stranger


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_manifest_raises_nothing_but_what_is_promised(content: bytes) -> None:
    with suppress(ValueError):
        assert parts_of(content).children is not None


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_that_was_killed_is_finished_by_the_next(
    sandbox: Sandbox, shell: Shell, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    repo = Builder(sandbox)
    for number in range(4):
        layers = [layer(f"own {number} {each}", 400_000 + each, OCI_IMAGE) for each in range(4)]
        repo.digests[f"image-{number}"] = repo.repository.put(
            write(f"image-{number}", OCI_IMAGE, layers=layers), OCI_IMAGE, f"build-{number}", pushed_at=1.4e9 + number
        )
    before = set(repo.repository.images)
    words = ["run", "-f", the_policy(shell), "--yes", "--backup", str(tmp_path / "b")]
    process = subprocess.Popen([sys.executable, "-m", "aws_ecr_gc", *words], env=shell.with_changes({}))

    def kill(_: dict[str, Any]) -> None:
        process.send_signal(signal.SIGKILL)
        time.sleep(0.01)

    plant = chance.choice([sandbox.before, sandbox.after])
    plant("DownloadLayer", kill, call=chance.randint(1, 9))
    assert process.wait(60) in {-signal.SIGKILL, 0}
    assert set(repo.repository.images) == before, "nothing is deleted before all is copied"
    journal = run(shell, "--backup", str(tmp_path / "b"))
    layout = place_of(str(tmp_path / "b"), no_s3).layout(REPOSITORY)
    gone = before - repo.repository.images.keys()
    assert len(gone) == 2
    index = layout.index()
    assert index is not None
    assert {each.digest for each in listed_in(index)} == gone
    repo.repository.layers.collect_garbage()
    assert shell("restore", journal, "--from", str(tmp_path / "b")).exit == 0
    assert set(repo.repository.images) == before


class _Proxy(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - one proxy, one list

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"proxy")

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 - the base class names it so


@pytest.fixture
def proxy() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    _Proxy.asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    saved = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def test_layers_come_through_the_proxies_of_the_environment(proxy: str) -> None:
    with environment(HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="", no_proxy=""):
        web = Session(None, "us-east-1").web()
        assert b"".join(web.download("http://bucket.example/layer?X-Amz-Signature=secret")) == b"proxy"
    assert _Proxy.asked == ["http://bucket.example/layer?X-Amz-Signature=secret"]
    with environment(HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"):
        web = Session(None, "us-east-1").web()
        assert b"".join(web.download(f"{proxy}/direct")) == b"proxy"
    assert _Proxy.asked[1:] == ["/direct"]


def test_no_message_holds_a_signed_url(proxy: str) -> None:
    web = Session(None, "us-east-1").web()
    with environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"):
        for url in ("http://127.0.0.1:9/layer?X-Amz-Signature=secret", f"{proxy.replace('http', 'https')}/?secret"):
            with pytest.raises(Passing, match=r"the download from 127\.0\.0\.1 broke off") as caught:
                list(web.download(url))
            assert "secret" not in str(caught.value)
        with pytest.raises(Misuse, match="CA bundle"), environment(AWS_CA_BUNDLE="/nowhere"):
            Session(None, "us-east-1")
