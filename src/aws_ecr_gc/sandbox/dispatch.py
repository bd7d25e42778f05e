"""From a request as it arrives to the answer that is sent: who calls, what is wrong with it, what comes of it."""

import logging
import re
import time
from typing import Any, NamedTuple

from aws_ecr_gc.sandbox.downloads import GARBAGE, download, is_download
from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.exchange import Answer, Arrival
from aws_ecr_gc.sandbox.faults import Fault
from aws_ecr_gc.sandbox.life import Call, Life
from aws_ecr_gc.sandbox.resources import is_denied, resource_of
from aws_ecr_gc.sandbox.services import SERVICES, Service
from aws_ecr_gc.sandbox.validation import input_check
from aws_ecr_gc.sandbox.world import DEFAULT_ACCOUNT, DEFAULT_REGION, Caller, World

log = logging.getLogger(__name__)

_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/[0-9]{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
_EVERYWHERE = frozenset({"sts", "account"})
"""Services that answer whether or not the region that a call is signed for is enabled."""


class _Asked(NamedTuple):
    """A call by somebody, of an operation that need not exist."""

    caller: Caller
    signed_for: str
    service: Service
    operation: str
    request: dict[str, Any]


def answer(life: Life, arrival: Arrival) -> Answer:
    """Carry out one call, and put it on record."""
    if is_download(arrival):
        return download(life, arrival)
    credential = _CREDENTIAL.search(arrival.authorization)
    signed_for = credential["service"] if credential else "ecr"
    service = SERVICES.get(signed_for, SERVICES["ecr"])
    operation = service.protocol.operation(service.name, service.operations, arrival)
    caller: Caller | None = None
    request: dict[str, Any] = {}
    error: str | None = None
    try:
        caller = _caller(life.world, service, credential)
        _demand_known(signed_for, service, operation)
        request = service.protocol.request(service.name, operation, arrival)
        sent, error = _carry_out(life, _Asked(caller, signed_for, service, operation, request))
    except ServiceError as refusal:
        sent, error = _refused(service, refusal)
    except Exception as failure:
        # The stand-in itself (or an action of a test) failed. The client gets an answer, the log the traceback.
        log.exception("the sandbox failed to carry out %s", operation)
        sent, error = _refused(service, ServiceError("InternalFailure", repr(failure)))
    account, region = (caller.account, caller.region) if caller else (DEFAULT_ACCOUNT, DEFAULT_REGION)
    access_key = caller.access_key if caller else ""
    life.calls.append(Call(operation, account, region, access_key, request, sent.status, error, service.name))
    return sent


def _caller(world: World, service: Service, credential: re.Match[str] | None) -> Caller:
    # The signature is not verified: whoever names an access key is believed.
    if credential is None:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    account, region = world.account_of(credential["key"]), credential["region"]
    if not _REGION.fullmatch(region):
        raise ServiceError("InvalidSignatureException", "Credential should be scoped to a valid region.")
    if service.name not in _EVERYWHERE and region not in world.enabled.get(account, (region,)):
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
    return Caller(world, credential["key"], account, region)


def _demand_known(signed_for: str, service: Service, operation: str) -> None:
    if signed_for not in SERVICES:
        raise ServiceError("UnknownOperationException", f"The sandbox knows no service {signed_for!r}")
    if operation not in service.operations:
        raise ServiceError("UnknownOperationException", f"The sandbox knows no operation {operation!r}")


def _carry_out(life: Life, asked: _Asked) -> tuple[Answer, str | None]:
    faults, disturbance, caller = life.faults, life.disturbance, asked.caller
    if faults.latency:
        time.sleep(faults.latency)
    disturbance.demand_credentials(faults, caller.access_key)
    if is_denied(faults, asked.operation, asked.request, caller.account):
        raise _denied(asked)
    disturbance.demand_capacity(faults, caller.account, caller.region, asked.operation)
    match disturbance.draw(faults, asked.operation):
        case Fault.SERVER_ERROR:
            raise disturbance.server_error(faults)
        case Fault.RESET as fault:
            return Answer(0, b""), fault.value
        case Fault.GARBAGE as fault:
            return Answer(200, GARBAGE, "html"), fault.value
        case Fault.LOST_ANSWER as fault:
            _take_effect(life, asked)
            return Answer(0, b""), fault.value
        case Fault.NONE:
            return _take_effect(life, asked), None


def _take_effect(life: Life, asked: _Asked) -> Answer:
    service, operation, request = asked.service, asked.operation, asked.request
    call = life.hooks.count(operation)
    life.hooks.run("before", operation, call, request)
    with life.world.lock:
        life.world.lifecycles.catch_up(life.world.clock.now())
        input_check(operation, service.name)("", request)
        members = service.operations[operation](asked.caller, request)
    life.hooks.run("after", operation, call, request)
    return service.protocol.answer(service.name, operation, members)


def _refused(service: Service, refusal: ServiceError) -> tuple[Answer, str]:
    """The answer, and the code in the service's own words."""
    code = service.codes.get(refusal.code)
    said = refusal if code is None else ServiceError(code, refusal.message)
    return service.protocol.refusal(service.name, said), said.code


def _denied(asked: _Asked) -> ServiceError:
    action = f"{asked.signed_for}:{asked.operation}"
    resource = resource_of(asked.caller, asked.request)
    user = resource_of(asked.caller, {}, "user")
    return ServiceError(
        "AccessDeniedException",
        f"User: {user} is not authorized to perform: {action} "
        f"on resource: {resource} because no identity-based policy allows the {action} action",
    )
