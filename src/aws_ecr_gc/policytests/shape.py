"""The format of files with cases: the one source of the JSON Schema, of the check of shape, and of the values.

`extra` and `extra_json_schema` are as in `policyfile.shape`. What the latter says of several keys together is for the
schema alone; `meaning` tells it with more words.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aws_ecr_gc import durations

_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_DIGEST = "sha256:[0-9a-f]{64}"
_DAY = "(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"

Name = Annotated[str, Meta(title="a name", min_length=1, max_length=512, examples=["hotfixes stay"])]
Repository = Annotated[
    str, Meta(title="a repository's name", pattern=f"^{_PART}(/{_PART})*$", max_length=256, examples=["ci/web"])
]
ImageName = Annotated[
    str, Meta(title="a name of letters, digits and _ . -", pattern=f"^{_NAME}$", max_length=64, examples=["child"])
]
ImageReference = Annotated[
    str,
    Meta(
        title="an image's name or a digest",
        extra_json_schema={"pattern": f"^({_NAME}|{_DIGEST})$"},
        max_length=71,
        examples=["child"],
    ),
]
ImageReferences = ImageReference | Annotated[list[ImageReference], Meta(examples=[["child"]])]
Digest = Annotated[str, Meta(title="a digest", pattern=f"^{_DIGEST}$", examples=["sha256:" + "0123456789abcdef" * 4])]
Tag = Annotated[
    str,
    Meta(
        title="a tag",
        extra_json_schema={"pattern": rf"^([A-Za-z0-9_]|\{{{_NAME}\}})([A-Za-z0-9_.-]|\{{{_NAME}\}})*$"},
        max_length=512,
        examples=["build-1", "sha256-{child}.sig"],
    ),
]
Time = Annotated[
    str,
    Meta(
        title="a time between 1970 and 2999",
        pattern=f"^{_DAY}([T ]{_CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?$",
        examples=["2026-01-10", "2026-01-10T06:00:00Z"],
    ),
]
Duration = Annotated[str, Meta(title="a duration", pattern=durations.PATTERN, examples=["9d", "1h30m"])]
Guard = Literal["max_delete", "max_share", "keep_at_least", "keep_tagged"]


class ImagePart(Struct, forbid_unknown_fields=True, frozen=True):
    """An image of the repository: when it was pushed (as `pushed` or as `age`), what it is, what is expected of it."""

    name: Annotated[ImageName | UnsetType, Meta(description="What the other images of the case call it.")] = UNSET
    tags: Annotated[
        Tag | list[Tag] | UnsetType,
        Meta(
            description="Its tags. {name} stands for the hex digits of the digest of the image of that name.",
            examples=["build-1"],
        ),
    ] = UNSET
    pushed: Annotated[Time | UnsetType, Meta(description="When it was pushed; in UTC if no offset is named.")] = UNSET
    age: Annotated[Duration | UnsetType, Meta(description="How long before the case's time it was pushed.")] = UNSET
    pulled: Annotated[
        Time | UnsetType,
        Meta(description="When it was last pulled; without this and pulled_age, no pull is on record."),
    ] = UNSET
    pulled_age: Annotated[
        Duration | UnsetType, Meta(description="How long before the case's time it was last pulled.")
    ] = UNSET
    index_of: Annotated[
        ImageReferences | UnsetType,
        Meta(
            description="It is an index that lists these images. An index of the type that says so but without this "
            "lists none, or nobody knows what, if it is not active: ECR hands out no manifest from the archive."
        ),
    ] = UNSET
    subject: Annotated[
        ImageReference | UnsetType,
        Meta(
            description="It refers to this image; a digest that no image of the case has is that of one that is gone."
        ),
    ] = UNSET
    size: Annotated[
        Annotated[int, Meta(ge=0)] | UnsetType, Meta(description="Its size in bytes; 0 if absent.", examples=[52428800])
    ] = UNSET
    media_type: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType,
        Meta(
            description="The media type of its manifest; if absent, of an OCI image, or with index_of of an index.",
            examples=["application/vnd.oci.image.manifest.v1+json"],
        ),
    ] = UNSET
    artifact_type: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512)] | UnsetType,
        Meta(description="Its artifact type.", examples=["application/spdx+json"]),
    ] = UNSET
    status: Annotated[
        Literal["active", "archived", "activating"] | UnsetType,
        Meta(description="Whether it is in the archive, or being restored; active if absent.", examples=["active"]),
    ] = UNSET
    archived: Annotated[
        Time | UnsetType,
        Meta(description="When it was put into the archive; without this and archived_age, that is not known."),
    ] = UNSET
    archived_age: Annotated[
        Duration | UnsetType, Meta(description="How long before the case's time it was put into the archive.")
    ] = UNSET
    activated: Annotated[
        Time | UnsetType,
        Meta(description="When it came out of the archive; without this and activated_age, it was never there."),
    ] = UNSET
    activated_age: Annotated[
        Duration | UnsetType, Meta(description="How long before the case's time it came out of the archive.")
    ] = UNSET
    digest: Annotated[
        Digest | UnsetType,
        Meta(description="Its digest; if absent, one made of its name or its place: of equal age, the lower is newer."),
    ] = UNSET
    expect: Annotated[
        Literal["kept", "retained", "held", "collected"] | UnsetType,
        Meta(
            description="What is to become of it: kept is retained (for a reason of its own) or held (because "
            "something that stays needs it). Without this it is only scenery.",
            examples=["kept"],
        ),
    ] = UNSET
    by: Annotated[
        Annotated[str, Meta(title="a rule", min_length=1, max_length=512, examples=["builds"])] | UnsetType,
        Meta(
            description="One of the reasons must be this: the name of a rule, or of a reason of no rule, such as "
            "protected-tag; needs expect."
        ),
    ] = UNSET
    loses: Annotated[
        Tag | list[Tag] | UnsetType,
        Meta(
            description="The tags that it loses under action: untag, an empty list for none; not looked at if absent. "
            "Needs expect.",
            examples=["build-1"],
        ),
    ] = UNSET


_TOGETHER = {
    "oneOf": [{"required": ["pushed"]}, {"required": ["age"]}],
    "not": {"anyOf": [{"required": [each, f"{each}_age"]} for each in ("pulled", "archived", "activated")]},
    "dependentRequired": {"by": ["expect"], "loses": ["expect"]},
}
ImageOfCase = Annotated[ImagePart, Meta(extra_json_schema=_TOGETHER)]


class CasePart(Struct, forbid_unknown_fields=True, frozen=True):
    """A repository at a time, and what the policy is to make of it."""

    name: Annotated[Name, Meta(description="What the results call the case; no other case of the file has it.")]
    repository: Annotated[
        Repository,
        Meta(description="The name of the repository: which policy of the file fits it is part of the case."),
    ]
    at: Annotated[Time, Meta(description="The time to decide as at; in UTC if no offset is named.")]
    images: Annotated[
        Annotated[list[ImageOfCase], Meta(min_length=1)],
        Meta(
            description="What the repository holds, in any order.",
            examples=[[{"tags": "build-1", "age": "9d", "expect": "kept"}]],
        ),
    ]
    resource_tags: Annotated[
        dict[str, Annotated[str, Meta(max_length=512)]] | UnsetType,
        Meta(description="The AWS resource tags of the repository; none if absent.", examples=[{"team": "web"}]),
    ] = UNSET
    fits: Annotated[
        Literal["none"] | UnsetType,
        Meta(
            description="none: no policy of the file is for this repository, so all of it stays, by the reason "
            "no-policy. Without this the case fails where no policy fits.",
            examples=["none"],
        ),
    ] = UNSET
    guards: Annotated[
        Guard | list[Guard] | UnsetType,
        Meta(
            description="The guards that refuse the plan, and no others; an empty list if none does. Without this, "
            "guards are not looked at.",
            examples=["max_share"],
        ),
    ] = UNSET


class DocumentPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Cases for `aws-ecr-gc policy test`: what a policy file must make of repositories. AWS is never asked."""

    version: Annotated[
        Literal[1],
        Meta(
            description="The version of the format.",
            examples=[1],
            extra={"mend": "write version: 1, the one there is"},
        ),
    ]
    policy: Annotated[
        Annotated[str, Meta(min_length=1)],
        Meta(description="The policy file, seen from this one.", examples=["policy.yaml"]),
    ]
    cases: Annotated[
        Annotated[list[CasePart], Meta(min_length=1)],
        Meta(
            description="The cases.",
            examples=[
                [
                    {
                        "name": "a build stays",
                        "repository": "ci/web",
                        "at": "2026-01-10",
                        "images": [{"tags": "build-1", "age": "9d", "expect": "kept"}],
                    }
                ]
            ],
        ),
    ]


DOCUMENT = msgspec.inspect.type_info(Annotated[DocumentPart, Meta(extra={"mend": "begin with version: 1"})])


def schema() -> dict[str, Any]:
    """The JSON Schema of files with cases."""
    return msgspec.json.schema(DocumentPart)
