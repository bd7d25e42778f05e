"""Lambda: $LATEST and every published version of every function made of an image.

All of them count as current, since an alias or a caller may name any. Only GetFunction tells the image: Lambda pulls
the digest that it resolved when the version was made, so that is what must stay, whatever the tag points at now.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import unless_gone, uses_in
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.usage import Use


def read(reader: Reader) -> Iterator[Use]:
    """The images of functions."""
    listed = reader.rows("lambda", "ListFunctions", "Functions", FunctionVersion="ALL", MaxItems=50)
    versions = list(filter(_is_image, listed))
    for version, code in zip(versions, reader.each(partial(_code, reader), versions), strict=True):
        workload = f"function {version['FunctionName']}:{version['Version']}"
        if code is None:
            continue
        if not code.get("ImageUri"):
            raise Unintelligible(f"GetFunction: {workload} is made of an image, but which one is not said")
        yield from uses_in(reader, code, workload)


def _is_image(version: Mapping[str, Any]) -> bool:
    """What does not say is taken for an image, unless it names a runtime, which no image has."""
    kind = version.get("PackageType") or ("Zip" if version.get("Runtime") else "Image")
    return bool(kind == "Image")


def _code(reader: Reader, version: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Where the code of a version is, or None for one that was deleted meanwhile."""
    get = partial(_get, reader, version)
    # Of $LATEST and $LATEST.PUBLISHED the code changes; what has a number has it for ever.
    if version["Version"].isdecimal():
        key = (version["FunctionArn"], version.get("CodeSha256"), version.get("LastModified"))
        return unless_gone(partial(reader.remembered, key, get))
    return unless_gone(get)


def _get(reader: Reader, version: Mapping[str, Any]) -> Mapping[str, Any]:
    named = {"FunctionName": version["FunctionName"], "Qualifier": version["Version"]}
    code: Mapping[str, Any] = reader.service("lambda").call("GetFunction", "Code", **named)["Code"]
    # What else there is, such as a signed URL, is of no use.
    return {name: code.get(name) for name in ("ImageUri", "ResolvedImageUri")}
