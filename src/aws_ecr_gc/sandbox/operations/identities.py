"""STS: who is calling, and becoming somebody else. And the regions of an account."""

import re
import secrets
from collections.abc import Collection

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter
from aws_ecr_gc.sandbox.world import Caller, Members

_ROLE = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/(?P<role>[\w+=,.@/-]+)")
_SECONDS = 3600
ENABLED = ("eu-west-1", "us-east-1")
"""The regions of every account, unless a test says otherwise."""
REGIONS = (*ENABLED, "af-south-1", "ap-southeast-2", "eu-central-1", "us-west-2")


def get_caller_identity(caller: Caller, _request: Members) -> Members:
    """The account of the access key, and the session of the role or the user that it belongs to."""
    return {"UserId": caller.access_key, "Account": caller.account, "Arn": caller.arn}


def assume_role(caller: Caller, request: Members) -> Members:
    """Keys of the account that the role is of. Every role can be assumed by everybody, whether or not it exists.

    Unless a test says what the roles of the account ask for.
    """
    role = _ROLE.fullmatch(request["RoleArn"])
    if role is None:
        raise invalid_parameter("RoleArn", "must be the ARN of a role")
    if (trust := caller.world.trusted.get(role["account"])) is not None:
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
        if request.get("ExternalId") != trust.external_id or tags != dict(trust.session_tags):
            raise ServiceError(
                "AccessDeniedException",
                f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {request['RoleArn']}",
            )
    access_key = f"ASIA{secrets.token_hex(8).upper()}"
    caller.world.granted[access_key] = role["account"]
    name, session = role["role"].rpartition("/")[2], request["RoleSessionName"]
    arn = f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{name}/{session}"
    caller.world.sessions[access_key] = arn
    return {
        "Credentials": {
            "AccessKeyId": access_key,
            "SecretAccessKey": "sandbox",
            "SessionToken": "sandbox",
            "Expiration": caller.world.clock.now() + (request.get("DurationSeconds") or _SECONDS),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": f"AROA{role['account']}:{session}",
            "Arn": arn,
        },
    }


def list_regions(caller: Caller, request: Members) -> Members:
    """The regions of the account and whether they are enabled, one page of them."""
    if "NextToken" in request:
        raise invalid_parameter("NextToken", "is not one that was given out")
    if request.get("AccountId") not in {None, caller.account}:
        raise ServiceError("AccessDeniedException", "only the caller's own account can be asked for")
    enabled = caller.world.enabled.get(caller.account, ENABLED)
    found = [{"RegionName": region, "RegionOptStatus": _status(region, enabled)} for region in sorted(REGIONS)]
    wanted = request.get("RegionOptStatusContains")
    return {"Regions": [each for each in found if not wanted or each["RegionOptStatus"] in wanted]}


def _status(region: str, enabled: Collection[str]) -> str:
    if region not in enabled:
        return "DISABLED"
    return "ENABLED_BY_DEFAULT" if region in ENABLED else "ENABLED"
