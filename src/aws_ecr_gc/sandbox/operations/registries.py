"""DescribeRegistry, PutReplicationConfiguration and GetAuthorizationToken."""

import base64

from aws_ecr_gc.sandbox.world import Caller, Members

TOKEN_SECONDS = 12 * 3600


def describe_registry(caller: Caller, _request: Members) -> Members:
    """The caller's registry and its replication rules."""
    rules = caller.world.replication.get((caller.account, caller.region), [])
    return {"registryId": caller.account, "replicationConfiguration": {"rules": rules}}


def put_replication_configuration(caller: Caller, request: Members) -> Members:
    """Put other replication rules in the place of all. Nothing is replicated by them."""
    stated = request["replicationConfiguration"]
    caller.world.replication[caller.account, caller.region] = stated["rules"]
    return {"replicationConfiguration": stated}


def get_authorization_token(caller: Caller, request: Members) -> Members:
    """A password for `docker login`, for each registry asked for. Nothing here takes it: there is no OCI endpoint."""
    token = base64.b64encode(f"AWS:sandbox-{caller.account}".encode()).decode()
    expires_at = caller.world.clock.now() + TOKEN_SECONDS
    return {
        "authorizationData": [
            {
                "authorizationToken": token,
                "expiresAt": expires_at,
                "proxyEndpoint": f"https://{caller.world.registry(account, caller.region).host}",
            }
            for account in request.get("registryIds") or [caller.account]
        ]
    }
