"""Backups in S3, against moto: large layers in parts, the index never lost between two writers."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.backup import Layout, Listed, listed_in, place_of
from aws_ecr_gc.backup.layout import with_images
from aws_ecr_gc.backup.s3 import PERMISSIONS
from aws_ecr_gc.errors import BackupLost, Misuse, Passing
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, layer, write
from tests.aws.conftest import Aws, aws, cloud, credentials, running_cloud
from tests.aws.server import ACCESS_KEY, Cloud
from tests.conftest import Shell
from tests.restore.conftest import run, state
from tests.wire.builder import Builder

__all__ = ["aws", "cloud", "credentials", "running_cloud"]

MIB = 1 << 20
REPOSITORY = Repository(Registry("123456789012", "us-east-1", "aws"), "team/web")
AT = "ecr/123456789012/us-east-1/team+web/"


@pytest.fixture
def bucket(aws: Aws) -> Any:
    """A client of S3 in a cloud with the bucket `backups`."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="backups")
    return s3


@pytest.fixture
def there(cloud: Cloud, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The program's own client for S3."""
    assert bucket
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = Session(None, "us-east-1").client("s3", endpoint_url=cloud.url, attempts=1)
    yield client
    client.close()


@pytest.fixture
def layout(there: Client) -> Layout:
    return place_of("s3://backups/ecr/", lambda: there).layout(REPOSITORY)


def keys(bucket: Any) -> list[str]:
    return [each["Key"] for each in bucket.list_objects_v2(Bucket="backups").get("Contents", [])]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def in_chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 70_000):
        yield content[start : start + 70_000]


@pytest.mark.parametrize("size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB])
def test_a_blob_is_there_whole_and_right(layout: Layout, bucket: Any, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    digest = digest_of(content)
    assert not layout.has(digest, size)
    layout.write(digest, size, in_chunks(content))
    assert layout.has(digest, size)
    assert layout.has(digest, None)
    assert not layout.has(digest, size + 1)
    assert b"".join(layout.read(digest)) == content
    assert keys(bucket) == [f"{AT}blobs/sha256/{digest.removeprefix('sha256:')}"]


@pytest.mark.parametrize("size", [100, 20 * MIB])
def test_what_is_something_else_is_not_there_and_leaves_no_parts(layout: Layout, bucket: Any, size: int) -> None:
    content = bytes(size)
    with pytest.raises(Passing, match="what was downloaded is something else"):
        layout.write(digest_of(content + b"x"), None, in_chunks(content))
    with pytest.raises(Passing):
        layout.write(digest_of(content), size - 1, in_chunks(content))
    assert keys(bucket) == []
    assert not bucket.list_multipart_uploads(Bucket="backups").get("Uploads")


def test_nothing_is_lost_between_two_that_write_the_index(layout: Layout, there: Client) -> None:
    other = place_of("s3://backups/ecr", lambda: there).layout(REPOSITORY)
    first, second = (Listed(digest_of(tag.encode()), OCI_IMAGE, 1, (tag,)) for tag in ("v1", "v2"))
    times = iter(range(2))

    def change(index: bytes | None) -> bytes:
        if next(times, None) == 0:
            other.update(lambda index: with_images(index, [second]))
        return with_images(index, [first])

    layout.update(change)
    index = layout.index()
    assert index is not None
    assert {each.tags for each in listed_in(index)} == {("v1",), ("v2",)}


def test_where_nothing_is_there_is_no_index(layout: Layout) -> None:
    assert layout.index() is None
    assert layout.free() is None


def test_a_bucket_that_is_not_there_is_told(there: Client) -> None:
    layout = place_of("s3://elsewhere/x", lambda: there).layout(REPOSITORY)
    with pytest.raises(
        BackupLost, match="backup s3://elsewhere/x/123456789012/us-east-1/team\\+web/: can't be read and written"
    ):
        layout.write(digest_of(b"x"), 1, [b"x"])
    with pytest.raises(Misuse, match="can't be read"):
        layout.index()
    with pytest.raises(Misuse, match="can't be read"):
        list(layout.read(digest_of(b"x")))


def test_a_run_is_copied_to_s3_and_comes_back_from_there(
    sandbox: Sandbox, shell: Shell, bucket: Any, credentials: dict[str, str]
) -> None:
    shell.environment |= credentials
    repo = Builder(sandbox)
    large = layer("large", 17 * MIB, OCI_IMAGE)
    repo.repository.put(write("large", OCI_IMAGE, layers=[large]), OCI_IMAGE, "build-0", pushed_at=1_480_000_000.0)
    for number in range(1, 5):
        repo.image(f"image-{number}", f"build-{number}")
    before = state(repo)
    journal = run(shell, "--backup", "s3://backups/ecr", "--journal", "s3://backups/journals")
    at = "ecr/123456789012/us-east-1/testrepo/"
    body = bucket.get_object(Bucket="backups", Key=f"{at}index.json")["Body"].read()
    assert {tag for each in listed_in(body) for tag in each.tags} == {"build-0", "build-1", "build-2"}
    repo.repository.layers.collect_garbage()
    finished = shell("restore", journal, "--from", "s3://backups/ecr")
    assert finished.exit == 0, finished.out + finished.err
    assert state(repo) == before


def test_the_permissions_are_printed(shell: Shell) -> None:
    words = ("--repo", "app", "--keep", "a=1", "--backup", "s3://backups/ecr")
    statements = json.loads(shell("iam-policy", *words).out)["Statement"]
    actions = {statement["Sid"]: (statement["Action"], statement["Resource"]) for statement in statements}
    assert actions["AwsEcrGcBackup"] == (
        ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        "arn:aws:s3:::backups/ecr/*",
    )
    assert actions["AwsEcrGcBackupBucket"] == (["s3:ListBucket"], "arn:aws:s3:::backups")
    assert {*actions["AwsEcrGcBackup"][0], *actions["AwsEcrGcBackupBucket"][0]} == set(PERMISSIONS.values())
    journal = "s3://b/journals/journal-1"
    flags = ("--for-restore", "--repo", "app", "--journal", journal, "--from", "s3://backups/ecr")
    statements = json.loads(shell("iam-policy", *flags).out)["Statement"]
    granted = {statement["Sid"]: (statement["Action"], statement["Resource"]) for statement in statements}
    assert granted["AwsEcrGcJournal"] == (["s3:GetObject"], "arn:aws:s3:::b/journals/*")
    assert granted["AwsEcrGcBackup"] == (["s3:GetObject"], "arn:aws:s3:::backups/ecr/*")
    assert "ecr:BatchDeleteImage" not in granted["AwsEcrGc"][0]


def test_restoring_needs_what_is_printed_and_no_more(sandbox: Sandbox, shell: Shell, tmp_path: Path) -> None:
    shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
    repo = Builder(sandbox)
    for number in range(4):
        repo.image(f"image-{number}", f"build-{number}")
    journal = run(shell, "--backup", str(tmp_path / "b"))
    repo.repository.layers.collect_garbage()
    for name in ("image-2", "image-3"):
        repo.repository.remove(repo.digests[name])
    repo.repository.layers.collect_garbage()
    seen = len(sandbox.calls)
    assert shell("restore", journal, "--from", str(tmp_path / "b")).exit == 0
    called = {f"ecr:{call.operation}" for call in sandbox.calls[seen:] if call.service == "ecr"}
    words = ("--for-restore", "--repo", "testrepo", "--from", str(tmp_path / "b"))
    (statement,) = json.loads(shell("iam-policy", *words).out)["Statement"]
    assert set(statement["Action"]) == called | {"ecr:BatchGetImage"}, "read where tags alone were lost"
