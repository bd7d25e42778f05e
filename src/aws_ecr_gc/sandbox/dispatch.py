"""From a request as it arrives to the answer that is sent: who calls, what is wrong with it, what comes of it."""

import logging
import re
import time
from typing import Any, Literal, NamedTuple

import msgspec

from aws_ecr_gc.sandbox import model
from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.faults import Fault
from aws_ecr_gc.sandbox.life import Call, Life
from aws_ecr_gc.sandbox.operations import OPERATIONS
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.validation import input_check
from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller, World

log = logging.getLogger(__name__)

GARBAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please sign in.</body></html>\n"

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,\s]+)/[0-9]{8}/(?P<region>[^/,\s]+)/[^/,\s]+/aws4_request")
_encoder = msgspec.json.Encoder()


class Arrival(NamedTuple):
    """What an HTTP request says."""

    target: str
    authorization: str
    body: bytes


class Answer(NamedTuple):
    """What is sent back; a status of 0 is a reset of the connection."""

    status: int
    body: bytes
    kind: Literal["json", "html"] = "json"


def answer(life: Life, arrival: Arrival) -> Answer:
    """Carry out one call, and put it on record."""
    operation = arrival.target.removeprefix(f"{model.target_prefix()}.")
    caller: Caller | None = None
    request: dict[str, Any] = {}
    error: str | None = None
    try:
        caller = _caller(life.world, arrival.authorization)
        request = _request(arrival.body)
        sent, error = _carry_out(life, caller, operation, request)
    except ServiceError as refusal:
        sent, error = _refused(refusal), refusal.code
    except Exception as failure:
        # The stand-in itself (or an action of a test) failed. The client gets an answer, the log the traceback.
        log.exception("the sandbox failed to carry out %s", operation)
        sent, error = _refused(ServiceError("InternalFailure", repr(failure))), "InternalFailure"
    account, region = (caller.account, caller.region) if caller else (DEFAULT_ACCOUNT, DEFAULT_REGION)
    access_key = caller.access_key if caller else ""
    life.calls.append(Call(operation, account, region, access_key, request, sent.status, error))
    return sent


def _caller(world: World, authorization: str) -> Caller:
    # The signature is not verified: whoever names an access key is believed.
    credential = _CREDENTIAL.search(authorization)
    if credential is None:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    return Caller(world, credential["key"], world.account_of(credential["key"]), credential["region"])


def _request(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ServiceError("SerializationException", str(error)) from error


def _carry_out(life: Life, caller: Caller, operation: str, request: dict[str, Any]) -> tuple[Answer, str | None]:
    faults, disturbance = life.faults, life.disturbance
    if faults.latency:
        time.sleep(faults.latency)
    disturbance.demand_credentials(faults, caller.access_key)
    if operation not in OPERATIONS:
        raise ServiceError("UnknownOperationException", f"The sandbox knows no operation {operation!r}")
    if operation in faults.deny:
        raise _denied(caller, operation, request)
    disturbance.demand_capacity(faults, caller.account, caller.region, operation)
    match disturbance.draw(faults, operation):
        case Fault.SERVER_ERROR:
            raise disturbance.server_error(faults)
        case Fault.RESET as fault:
            return Answer(0, b""), fault.value
        case Fault.GARBAGE as fault:
            return Answer(200, GARBAGE, "html"), fault.value
        case Fault.LOST_ANSWER as fault:
            _take_effect(life, caller, operation, request)
            return Answer(0, b""), fault.value
        case Fault.NONE:
            return Answer(200, _take_effect(life, caller, operation, request)), None


def _take_effect(life: Life, caller: Caller, operation: str, request: dict[str, Any]) -> bytes:
    call = life.hooks.count(operation)
    life.hooks.run("before", operation, call, request)
    with life.world.lock:
        input_check(operation)("", request)
        members = OPERATIONS[operation](caller, request)
    life.hooks.run("after", operation, call, request)
    return _encoder.encode(members)


def _refused(error: ServiceError) -> Answer:
    return Answer(error.status, _encoder.encode({"__type": error.code, "message": error.message}))


def _denied(caller: Caller, operation: str, request: dict[str, Any]) -> ServiceError:
    partition = partition_of(caller.region).name
    resource = request.get("resourceArn") or "*"
    if "repositoryName" in request:
        owner = request.get("registryId") or caller.account
        resource = f"arn:{partition}:ecr:{caller.region}:{owner}:repository/{request['repositoryName']}"
    return ServiceError(
        "AccessDeniedException",
        f"User: arn:{partition}:iam::{caller.account}:user/sandbox is not authorized to perform: ecr:{operation} "
        f"on resource: {resource} because no identity-based policy allows the ecr:{operation} action",
    )
