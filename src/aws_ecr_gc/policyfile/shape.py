"""The format of policy files: the one source of the JSON Schema, of the check of a document's shape, and of its values.

`extra` tells the check more than JSON Schema can: the mend of a mistake, and which keys are reserved. A text of a form
in place of which a list may stand has its `pattern` in `extra_json_schema`, which the check heeds too: of a union of a
text with `Meta(pattern=...)` and a list, msgspec 0.22 frees memory that it does not own.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from aws_ecr_gc import durations
from aws_ecr_gc.targets import EXTERNAL_ID, REGION, ROLE

_NAMED = "write 1 or more, or leave it out"

Glob = Annotated[
    str,
    Meta(title="a glob", min_length=1, max_length=512, examples=["build-*"], extra={"mend": 'to match all, write "*"'}),
]
Prefix = Annotated[
    str,
    Meta(
        title="a prefix",
        min_length=1,
        max_length=512,
        examples=["release-"],
        extra={"mend": 'for every image, write any: true; for every tag, glob: "*"'},
    ),
]
Regex = Annotated[str, Meta(title="a regular expression", min_length=1, max_length=512, examples=["v[0-9]+"])]
Template = Annotated[str, Meta(title="a template of versions", min_length=1, max_length=512, examples=["v{version}"])]
Duration = Annotated[str, Meta(title="a duration", pattern=durations.PATTERN, examples=["7d", "1h30m"])]
Digest = Annotated[
    str,
    Meta(
        title="a digest",
        extra_json_schema={"pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"},
        examples=["sha256:" + "0123456789abcdef" * 4],
    ),
]
Share = Annotated[
    str, Meta(title="a share", pattern=r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%$", examples=["50%"])
]
Count = Annotated[int, Meta(ge=1, examples=[4], extra={"mend": _NAMED})]
Name = Annotated[
    str,
    Meta(
        title="a name of one line",
        min_length=1,
        max_length=512,
        pattern="^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]+$",
        examples=["builds"],
    ),
]
Group = Annotated[str, Meta(title="a group's name", min_length=1, max_length=512, examples=["branch"])]

UseSource = Literal[
    "all",
    "ecs",
    "lambda",
    "apprunner",
    "batch",
    "sagemaker",
    "codebuild",
    "agentcore",
    "emr-serverless",
    "imagebuilder",
    "cloudformation",
    "eks",
    "inspector",
]
Account = Annotated[str, Meta(title="an account id of 12 digits", pattern="^[0-9]{12}$", examples=["123456789012"])]
Role = Annotated[
    str,
    Meta(title="a role's name, with its path if it has one", pattern=f"^{ROLE}$", max_length=512, examples=["reader"]),
]
ExternalId = Annotated[
    str, Meta(title="an external id of 2 to 1224 characters", pattern=f"^{EXTERNAL_ID}$", examples=["ecr-gc"])
]
Region = Annotated[str, Meta(title="a region", pattern=f"^{REGION}$", examples=["eu-west-1"])]
Context = Annotated[str, Meta(title="a context's name", min_length=1, max_length=512, examples=["prod"])]

Globs = Glob | Annotated[list[Glob], Meta(min_length=1, examples=[["build-*"]])]
Prefixes = Prefix | Annotated[list[Prefix], Meta(min_length=1, examples=[["release-"]])]
Regexes = Regex | Annotated[list[Regex], Meta(min_length=1, examples=[["v[0-9]+"]])]
Groups = Group | Annotated[list[Group], Meta(min_length=1, examples=[["branch"]])]
Reserved = Annotated[
    Any,
    Meta(
        description="Has no meaning here, and is refused: it stands at the top of the file.",
        extra={"reserved": 1},
        extra_json_schema={"deprecated": True},
    ),
]


class ExceptPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Conditions of what a rule does not match after all. What is stated must all hold, for the same tag."""

    prefix: Annotated[Prefixes | UnsetType, Meta(description="The tag begins with one of these.")] = UNSET
    glob: Annotated[Globs | UnsetType, Meta(description="One of these matches the whole tag: * any text, ? one.")] = (
        UNSET
    )
    regex: Annotated[Regexes | UnsetType, Meta(description="One of these (in RE2's syntax) matches the whole tag.")] = (
        UNSET
    )
    semver: Annotated[
        Template | UnsetType, Meta(description="The tag is this text with a semantic version for {version}.")
    ] = UNSET
    media_type: Annotated[
        Globs | UnsetType, Meta(description="One of these globs matches the media type of the image's manifest.")
    ] = UNSET
    artifact_type: Annotated[
        Globs | UnsetType, Meta(description="One of these globs matches the artifact type of the image.")
    ] = UNSET


class MatchPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Which images a rule manages. What is stated must all hold, for the same tag."""

    prefix: Annotated[Prefixes | UnsetType, Meta(description="The tag begins with one of these.")] = UNSET
    glob: Annotated[Globs | UnsetType, Meta(description="One of these matches the whole tag: * any text, ? one.")] = (
        UNSET
    )
    regex: Annotated[
        Regexes | UnsetType,
        Meta(description="One of these (in RE2's syntax) matches the whole tag. Named groups serve group_by."),
    ] = UNSET
    semver: Annotated[
        Template | UnsetType,
        Meta(description="The tag is this text with a semantic version for {version}; one * may stand for any text."),
    ] = UNSET
    untagged: Annotated[bool | UnsetType, Meta(description="true: the image has no tag.", examples=[True])] = UNSET
    any_: Annotated[
        bool | UnsetType, Meta(description="true: tags are of no account, nor the lack of them.", examples=[True])
    ] = field(default=UNSET, name="any")
    media_type: Annotated[
        Globs | UnsetType, Meta(description="One of these globs matches the media type of the image's manifest.")
    ] = UNSET
    artifact_type: Annotated[
        Globs | UnsetType, Meta(description="One of these globs matches the artifact type of the image.")
    ] = UNSET
    except_: Annotated[
        ExceptPart | UnsetType,
        Meta(description="What the rule does not match after all.", examples=[{"glob": "*-hotfix-*"}]),
    ] = field(default=UNSET, name="except")
    archived_for: Annotated[
        Duration | UnsetType,
        Meta(
            description="The rule is about images that have been in the archive for so long, and about no others. What "
            "does not stay is deleted.",
            examples=["90d"],
        ),
    ] = UNSET


class WithinPart(Struct, forbid_unknown_fields=True, frozen=True):
    """For each kind of period, how long before the newest image the newest of every period stays."""

    hourly: Annotated[Duration | UnsetType, Meta(description="The newest of every hour, for so long.")] = UNSET
    daily: Annotated[Duration | UnsetType, Meta(description="The newest of every day, for so long.")] = UNSET
    weekly: Annotated[Duration | UnsetType, Meta(description="The newest of every ISO week, for so long.")] = UNSET
    monthly: Annotated[Duration | UnsetType, Meta(description="The newest of every month, for so long.")] = UNSET
    yearly: Annotated[Duration | UnsetType, Meta(description="The newest of every year, for so long.")] = UNSET


class KeepPart(Struct, forbid_unknown_fields=True, frozen=True):
    """What a rule retains of what it matches: the union of all that is stated, so more keeps more."""

    newest: Annotated[
        Count | UnsetType,
        Meta(description="The newest N images.", extra={"mend": "write 1 or more; to keep none, write keep: none"}),
    ] = UNSET
    younger_than: Annotated[
        Duration | UnsetType, Meta(description="Images pushed less than this ago.", examples=["7d"])
    ] = UNSET
    pulled_within: Annotated[
        Duration | UnsetType,
        Meta(description="Images pulled less than this ago; where no pull is known, pushed.", examples=["14d"]),
    ] = UNSET
    hourly: Annotated[Count | UnsetType, Meta(description="The newest of each of the N newest hours.")] = UNSET
    daily: Annotated[Count | UnsetType, Meta(description="The newest of each of the N newest days.")] = UNSET
    weekly: Annotated[Count | UnsetType, Meta(description="The newest of each of the N newest ISO weeks.")] = UNSET
    monthly: Annotated[Count | UnsetType, Meta(description="The newest of each of the N newest months.")] = UNSET
    yearly: Annotated[Count | UnsetType, Meta(description="The newest of each of the N newest years.")] = UNSET
    within: Annotated[
        WithinPart | UnsetType,
        Meta(
            description="The newest of every period, for a time before the newest image.", examples=[{"daily": "30d"}]
        ),
    ] = UNSET
    timezone: Annotated[
        str | UnsetType,
        Meta(
            description="Where days begin: a time zone of the IANA database; UTC if absent.", examples=["Europe/Berlin"]
        ),
    ] = UNSET
    majors: Annotated[
        Count | UnsetType, Meta(description="The highest version of each of the N highest major versions.")
    ] = UNSET
    minors: Annotated[
        Count | UnsetType, Meta(description="The highest version of each of the N highest minor versions.")
    ] = UNSET
    patches: Annotated[Count | UnsetType, Meta(description="The N highest releases.")] = UNSET
    prereleases: Annotated[Count | UnsetType, Meta(description="The N highest prereleases.")] = UNSET


class RulePart(Struct, forbid_unknown_fields=True, frozen=True):
    """Which images are managed, and which of them stay."""

    name: Annotated[Name, Meta(description="What reasons call the rule; no other rule of the policy has it.")]
    match: Annotated[MatchPart, Meta(description="Which images the rule manages.", examples=[{"prefix": "release-"}])]
    keep: Annotated[
        Literal["none"] | KeepPart,
        Meta(description="Which of them stay; none, if none is to stay.", examples=[{"newest": 4}]),
    ]
    group_by: Annotated[
        Groups | UnsetType,
        Meta(description="Named groups of the regex: every combination of what they capture is kept for itself."),
    ] = UNSET


class RepositoriesPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Which repositories a policy is for. What is stated must all hold."""

    include: Annotated[Globs | UnsetType, Meta(description="One of these matches the name; all, if absent.")] = UNSET
    exclude: Annotated[
        Glob | list[Glob] | UnsetType, Meta(description="None of these matches the name.", examples=["ci/base"])
    ] = UNSET
    resource_tags: Annotated[
        dict[str, Annotated[str, Meta(title="a glob", max_length=512, examples=["web"])]] | UnsetType,
        Meta(description="The repository has each of these AWS tags; values are globs.", examples=[{"team": "web"}]),
    ] = UNSET


class ProtectPart(Struct, forbid_unknown_fields=True, frozen=True):
    """What stays whatever the rules say."""

    tags: Annotated[
        Glob | list[Glob] | UnsetType, Meta(description="Globs of tags whose images stay.", examples=["latest"])
    ] = UNSET
    digests: Annotated[Digest | list[Digest] | UnsetType, Meta(description="Digests of images that stay.")] = UNSET
    grace: Annotated[
        Duration | UnsetType, Meta(description="Images younger than this stay; 1h if absent.", examples=["1h"])
    ] = UNSET


class GuardsPart(Struct, forbid_unknown_fields=True, frozen=True):
    """What a finished plan must satisfy, or is refused whole; and how carefully one is carried out."""

    max_delete: Annotated[
        Annotated[int, Meta(ge=0)] | UnsetType,
        Meta(description="The most images that may go from a repository.", examples=[500]),
    ] = UNSET
    max_share: Annotated[
        Share | UnsetType, Meta(description="The greatest share of a repository's images that may go.")
    ] = UNSET
    keep_at_least: Annotated[
        Annotated[int, Meta(ge=0)] | UnsetType,
        Meta(description="How many images must remain in a repository; 1 if absent.", examples=[1]),
    ] = UNSET
    keep_tagged: Annotated[
        Annotated[int, Meta(ge=0)] | UnsetType,
        Meta(description="How many tagged images must remain where a tagged one goes; 1 if absent.", examples=[1]),
    ] = UNSET
    canary: Annotated[
        Count | UnsetType,
        Meta(description="How many images go first; the others follow only if none of them failed.", examples=[10]),
    ] = UNSET
    max_failures: Annotated[
        Count | UnsetType, Meta(description="After how many failed deletions in a row the work ends.", examples=[10])
    ] = UNSET


class PolicyPart(Struct, forbid_unknown_fields=True, frozen=True):
    """What holds for the repositories that it selects, unless an earlier policy selects them."""

    rules: Annotated[
        Annotated[list[RulePart], Meta(min_length=1)],
        Meta(
            description="An image is managed only if each of its tags, or its lack of tags, is matched by some rule.",
            examples=[[{"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 8}}]],
        ),
    ]
    repositories: Annotated[
        RepositoriesPart | UnsetType,
        Meta(description="Which repositories; every one, if absent.", examples=[{"include": "ci/*"}]),
    ] = UNSET
    protect: Annotated[
        ProtectPart | UnsetType, Meta(description="What stays in any case.", examples=[{"tags": ["latest"]}])
    ] = UNSET
    action: Annotated[
        Literal["delete", "archive", "untag"] | UnsetType,
        Meta(
            description="What happens to what doesn't stay; delete, if absent. With untag, rules match and keep each "
            "tag for itself, and no image goes.",
            examples=["delete"],
        ),
    ] = UNSET
    signatures: Annotated[
        Literal["follow", "leave"] | UnsetType,
        Meta(description="Whether cosign's tags go with what they sign; follow, if absent.", examples=["follow"]),
    ] = UNSET
    guards: Annotated[
        GuardsPart | UnsetType, Meta(description="What a finished plan must satisfy.", examples=[{"max_delete": 500}])
    ] = UNSET
    in_use: Reserved = UNSET


class KubernetesPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Clusters to look into. Those of EKS are found by the source eks, without any of this."""

    contexts: Annotated[
        Context | Annotated[list[Context], Meta(min_length=1)] | UnsetType,
        Meta(description="Contexts of the kubeconfig.", examples=["prod"]),
    ] = UNSET
    kubeconfig: Annotated[
        Annotated[str, Meta(min_length=1)] | UnsetType,
        Meta(description="The kubeconfig, seen from this file; KUBECONFIG or ~/.kube/config, if absent."),
    ] = UNSET
    in_cluster: Annotated[bool | UnsetType, Meta(description="The cluster that the program itself runs in.")] = UNSET


class ListPart(Struct, forbid_unknown_fields=True, frozen=True):
    """A list of images that are in use: one of file, url and command."""

    file: Annotated[
        Annotated[str, Meta(min_length=1)] | UnsetType,
        Meta(description="A file, seen from this one; - is standard input.", examples=["images.txt"]),
    ] = UNSET
    url: Annotated[
        Annotated[str, Meta(pattern="^https?://[^/]", title="a URL", examples=["https://example.com/images.txt"])]
        | UnsetType,
        Meta(description="What an http or https URL gives."),
    ] = UNSET
    command: Annotated[
        Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)] | UnsetType,
        Meta(description="What a program prints: its name and its arguments, no shell.", examples=[["helm", "list"]]),
    ] = UNSET


class InUsePart(Struct, forbid_unknown_fields=True, frozen=True):
    """What is looked for that runs, or may run, an image: such images stay, and what they need."""

    sources: Annotated[
        UseSource | Annotated[list[UseSource], Meta(min_length=1)] | UnsetType,
        Meta(
            description="AWS's services to look into; all is every one that AWS's endpoint data list for the region.",
            examples=[["ecs", "lambda"]],
        ),
    ] = UNSET
    task_definition_revisions: Annotated[
        Annotated[int, Meta(ge=0)] | UnsetType,
        Meta(
            description="How many ACTIVE revisions of every family of ECS task definitions count; 3 if absent.",
            examples=[3],
        ),
    ] = UNSET
    accounts: Annotated[
        Annotated[list[Account], Meta(min_length=1)] | UnsetType,
        Meta(description="Accounts to look into besides that of the credentials.", examples=[["123456789012"]]),
    ] = UNSET
    organization: Annotated[
        bool | UnsetType, Meta(description="Whether to look into all accounts of the AWS organization.")
    ] = UNSET
    role: Annotated[
        Role | UnsetType,
        Meta(description="The role with which other accounts are entered.", examples=["ecr-gc-reader"]),
    ] = UNSET
    external_id: Annotated[
        ExternalId | UnsetType,
        Meta(description="The external id that the role asks for.", examples=["ecr-gc"]),
    ] = UNSET
    regions: Annotated[
        Annotated[list[Region], Meta(min_length=1)] | UnsetType,
        Meta(description="The regions to look into; that of the registry, if absent.", examples=[["eu-west-1"]]),
    ] = UNSET
    kubernetes: Annotated[
        KubernetesPart | UnsetType, Meta(description="Clusters to look into.", examples=[{"contexts": ["prod"]}])
    ] = UNSET
    lists: Annotated[
        Annotated[list[ListPart], Meta(min_length=1)] | UnsetType,
        Meta(description="Lists of images that are in use besides.", examples=[[{"file": "images.txt"}]]),
    ] = UNSET


class TargetsPart(Struct, forbid_unknown_fields=True, frozen=True):
    """Where `plan` and `run` look for repositories; flags of the command line take the place of what is stated here."""

    repositories: Annotated[
        Globs | UnsetType,
        Meta(description="Only repositories that one of these matches; !GLOB takes out again.", examples=["ci/*"]),
    ] = UNSET
    regions: Annotated[
        Literal["all"] | Annotated[list[Region], Meta(min_length=1)] | UnsetType,
        Meta(
            description="The regions; all are those enabled for the account. That of the profile, if absent.",
            examples=[["eu-west-1"]],
        ),
    ] = UNSET
    accounts: Annotated[
        Annotated[list[Account], Meta(min_length=1)] | UnsetType,
        Meta(description="The accounts; that of the credentials, if absent.", examples=[["123456789012"]]),
    ] = UNSET
    organization: Annotated[
        bool | UnsetType, Meta(description="Whether all accounts of the AWS organization are meant.")
    ] = UNSET
    units: Annotated[
        Annotated[
            list[
                Annotated[
                    str,
                    Meta(
                        title="the id of a root or an organizational unit",
                        pattern="^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$",
                        examples=["ou-ab12-34567890"],
                    ),
                ]
            ],
            Meta(min_length=1),
        ]
        | UnsetType,
        Meta(
            description="Only accounts in these units of the organization, or below.", examples=[["ou-ab12-34567890"]]
        ),
    ] = UNSET
    account_tags: Annotated[
        dict[str, Annotated[str, Meta(title="a glob", max_length=512, examples=["prod"])]] | UnsetType,
        Meta(description="Only accounts that have each of these tags; values are globs.", examples=[{"stage": "prod"}]),
    ] = UNSET
    role: Annotated[
        Role | UnsetType,
        Meta(description="The role with which other accounts are entered.", examples=["ecr-gc"]),
    ] = UNSET
    external_id: Annotated[
        ExternalId | UnsetType,
        Meta(description="The external id that the role asks for.", examples=["ecr-gc"]),
    ] = UNSET
    session_tags: Annotated[
        dict[str, Annotated[str, Meta(max_length=256)]] | UnsetType,
        Meta(description="Tags of the role's sessions.", examples=[{"tool": "ecr-gc"}]),
    ] = UNSET


class DocumentPart(Struct, forbid_unknown_fields=True, frozen=True):
    """A policy file: the first policy whose selector fits a repository applies; one that none fits is left alone."""

    version: Annotated[
        Literal[1],
        Meta(
            description="The version of the format.",
            examples=[1],
            extra={"mend": "write version: 1, the one there is"},
        ),
    ]
    policies: Annotated[
        Annotated[list[PolicyPart], Meta(min_length=1)] | UnsetType,
        Meta(
            description="The policies; needed unless a file that this one extends has some, or this is only extended.",
            examples=[[{"rules": [{"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 8}}]}]],
        ),
    ] = UNSET
    extends: Annotated[
        Annotated[str, Meta(min_length=1)] | UnsetType,
        Meta(description="Another policy file, seen from this one: its policies come after.", examples=["base.yaml"]),
    ] = UNSET
    protect: Annotated[
        ProtectPart | UnsetType,
        Meta(description="What stays under every policy, also of files that extend this.", examples=[{"grace": "1h"}]),
    ] = UNSET
    guards: Annotated[
        GuardsPart | UnsetType,
        Meta(description="Guards of every policy, also of files that extend this.", examples=[{"max_delete": 500}]),
    ] = UNSET
    in_use: Annotated[
        InUsePart | UnsetType,
        Meta(
            description="What is in use stays under every policy, also of files that extend this.",
            examples=[{"sources": ["ecs", "lambda"]}],
        ),
    ] = UNSET
    targets: Annotated[
        TargetsPart | UnsetType,
        Meta(
            description="Where plan and run look for repositories; what is left open, a base file may state.",
            examples=[{"regions": ["eu-west-1"]}],
        ),
    ] = UNSET


DOCUMENT = msgspec.inspect.type_info(Annotated[DocumentPart, Meta(extra={"mend": "begin with version: 1"})])


def schema() -> dict[str, Any]:
    """The JSON Schema of policy files."""
    return msgspec.json.schema(DocumentPart)
