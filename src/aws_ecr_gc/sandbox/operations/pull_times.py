"""Register-, Deregister- and ListPullTimeUpdateExclusions: the roles whose pulls move no pull time."""

import re

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.world import Caller, Members

PAGE_SIZE = 100
EXCLUSIONS_MAX = 100

_ROLE = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<name>[^/]+)")
_SESSION = re.compile(r"arn:[a-z-]+:sts::(?P<account>[0-9]{12}):assumed-role/(?P<name>[^/]+)/.+")


def register_pull_time_update_exclusion(caller: Caller, request: Members) -> Members:
    """Exclude a role. It need not exist."""
    principal = request["principalArn"]
    if not _ROLE.fullmatch(principal):
        raise invalid_parameter("principalArn", "must be the ARN of a role")
    excluded = caller.exclusions
    if principal in excluded:
        raise ServiceError("ExclusionAlreadyExistsException", f"The principal '{principal}' is excluded already")
    if len(excluded) >= EXCLUSIONS_MAX:
        raise ServiceError("LimitExceededException", f"A registry has at most {EXCLUSIONS_MAX} exclusions")
    excluded[principal] = caller.world.clock.now()
    return {"principalArn": principal, "createdAt": excluded[principal]}


def deregister_pull_time_update_exclusion(caller: Caller, request: Members) -> Members:
    """Let the pulls of a role count again."""
    principal = request["principalArn"]
    if caller.exclusions.pop(principal, None) is None:
        raise ServiceError("ExclusionNotFoundException", f"The principal '{principal}' is not excluded")
    return {"principalArn": principal}


def list_pull_time_update_exclusions(caller: Caller, request: Members) -> Members:
    """The ARNs of the excluded roles."""
    scope = ("ListPullTimeUpdateExclusions", caller.account, caller.region)
    page, following = caller.world.listings.page(scope, request, lambda: sorted(caller.exclusions), PAGE_SIZE)
    return {"pullTimeUpdateExclusions": page, **following}


def is_excluded(caller: Caller) -> bool:
    """Whether the pulls of this caller move no pull time."""
    session = _SESSION.fullmatch(caller.arn)
    roles = filter(None, map(_ROLE.fullmatch, caller.exclusions))
    return session is not None and any(role.groups() == session.groups() for role in roles)
