"""What of Lambda's API reads functions."""

import re
from datetime import UTC, datetime

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.workloads.functions import LATEST, Function, Version
from aws_ecr_gc.sandbox.world import Caller, Members

_MOST = 50
_NAME = re.compile(
    r"(?:arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:|(?:[0-9]{12}:)?function:|[0-9]{12}:)?"
    r"(?P<name>[A-Za-z0-9_.-]+)(?::(?P<version>[A-Za-z0-9_$-]+))?"
)


def list_functions(caller: Caller, request: Members) -> Members:
    """The functions, or with `FunctionVersion=ALL` all their versions; 50 a page at most, whatever is asked for."""
    functions = caller.workloads.functions.by_name
    every = request.get("FunctionVersion") == "ALL"

    def rows() -> list[Members]:
        return [
            _configuration(function, version, qualified=every)
            for _, function in sorted(functions.items())
            for version in function.versions.values()
            if every or version.number == LATEST
        ]

    asked = {
        "FunctionVersion": request.get("FunctionVersion"),
        "maxResults": min(request.get("MaxItems") or _MOST, _MOST),
        "nextToken": request.get("Marker"),
    }
    page, following = caller.world.listings.page(("Functions", caller.account, caller.region), asked, rows, _MOST)
    return {"Functions": page, **({"NextMarker": following["nextToken"]} if following else {})}


def get_function(caller: Caller, request: Members) -> Members:
    """A version of a function ($LATEST, unless one is named), and where its code is."""
    named = _NAME.fullmatch(request["FunctionName"])
    function = None if named is None else caller.workloads.functions.by_name.get(named["name"])
    number = request.get("Qualifier") or (named and named["version"]) or LATEST
    version = None if function is None else function.versions.get(number)
    if function is None or version is None:
        site = caller.workloads.functions.site
        missing = site.arn("lambda", f"function:{named['name'] if named else request['FunctionName']}:{number}")
        raise ServiceError("ResourceNotFoundException", f"Function not found: {missing}", 404)
    return {"Configuration": _configuration(function, version, qualified=True), "Code": _code(version)}


def _configuration(function: Function, version: Version, *, qualified: bool) -> Members:
    modified = datetime.fromtimestamp(version.modified_at, UTC)
    return {
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{version.number}" if qualified else function.arn,
        "Version": version.number,
        "PackageType": "Zip" if version.image is None else "Image",
        "CodeSha256": version.code_sha256,
        "LastModified": f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond // 1000:03}+0000",
    }


def _code(version: Version) -> Members:
    if version.image is None:
        return {"RepositoryType": "S3"}
    resolved = version.resolved_uri
    return {
        "RepositoryType": "ECR",
        "ImageUri": version.image,
        **({} if resolved is None else {"ResolvedImageUri": resolved}),
    }
