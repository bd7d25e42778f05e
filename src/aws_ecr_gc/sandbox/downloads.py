"""Downloading a layer by the URL that GetDownloadUrlForLayer gave: a plain GET, as of S3."""

import time
from collections.abc import Iterator

from aws_ecr_gc.sandbox.exchange import Answer, Arrival
from aws_ecr_gc.sandbox.faults import Fault
from aws_ecr_gc.sandbox.life import Call, Life
from aws_ecr_gc.sandbox.services import DOWNLOAD
from aws_ecr_gc.sandbox.world import Download

GARBAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please sign in.</body></html>\n"


def is_download(arrival: Arrival) -> bool:
    """Whether somebody wants a layer."""
    return arrival.method == "GET" and arrival.path.startswith("/layers/")


def download(life: Life, arrival: Arrival) -> Answer:
    """Send a layer, and put it on record: as a call of S3, in the account and region of the repository."""
    wanted = life.world.downloads.get(arrival.path)
    if wanted is None:
        sent, error = _refused(403, "AccessDenied", "Access Denied")
    else:
        sent, error = _disturbed(life, wanted, arrival)
    account, region = (
        ("", "") if wanted is None else (wanted.repository.registry.account, wanted.repository.registry.region)
    )
    request = {} if wanted is None else {"repositoryName": wanted.repository.name, "layerDigest": wanted.digest}
    life.calls.append(Call(DOWNLOAD, account, region, "", request, sent.status, error, "s3"))
    return sent


def _disturbed(life: Life, wanted: Download, arrival: Arrival) -> tuple[Answer, str | None]:
    if life.faults.latency:
        time.sleep(life.faults.latency)
    match life.disturbance.draw(life.faults, DOWNLOAD):
        case Fault.SERVER_ERROR:
            return _refused(503, "SlowDown", "Please reduce your request rate.")
        case Fault.RESET as fault:
            return Answer(0, b""), fault.value
        case Fault.GARBAGE as fault:
            return Answer(200, GARBAGE, "html"), fault.value
        case Fault.LOST_ANSWER as fault:
            whole, error = _sent(life, wanted, arrival)
            return (whole, error) if error else (whole._replace(more=_half(whole)), fault.value)
        case Fault.NONE:
            return _sent(life, wanted, arrival)


def _sent(life: Life, wanted: Download, arrival: Arrival) -> tuple[Answer, str | None]:
    request = {"path": arrival.path}
    call = life.hooks.count(DOWNLOAD)
    life.hooks.run("before", DOWNLOAD, call, request)
    if life.world.clock.now() >= wanted.expires_at:
        return _refused(403, "AccessDenied", "Request has expired")
    with life.world.lock:
        blob = wanted.repository.layers.get(wanted.digest)
    chunks = None if blob is None else blob.chunks()
    if blob is None or chunks is None:
        return _refused(404, "NoSuchKey", "The specified key does not exist.")
    life.hooks.run("after", DOWNLOAD, call, request)
    return Answer(200, b"", "octets", more=chunks, length=blob.size), None


def _half(whole: Answer) -> Iterator[bytes]:
    """The connection breaks before the last byte."""
    left = (whole.length or 0) // 2
    for chunk in whole.more:
        yield chunk[:left]
        left -= len(chunk[:left])
        if not left:
            return


def _refused(status: int, code: str, message: str) -> tuple[Answer, str | None]:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Answer(status, body, "xml"), code
