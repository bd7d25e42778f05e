"""The services that the stand-in answers for: how each is spoken to, what it can do, what it calls errors."""

from collections.abc import Mapping
from typing import NamedTuple

from aws_ecr_gc.sandbox.operations import OPERATIONS, Operation, ecs, functions, identities, starters
from aws_ecr_gc.sandbox.protocols import Json, Query, RestJson, Spoken

_NONE: Mapping[str, str] = {}


class Service(NamedTuple):
    """A service by botocore's name. `codes` are its own words for errors that ECR calls otherwise."""

    name: str
    protocol: Spoken
    operations: Mapping[str, Operation]
    codes: Mapping[str, str] = _NONE


SERVICES: dict[str, Service] = {
    "ecr": Service("ecr", Json(), OPERATIONS),
    "ecs": Service(
        "ecs",
        Json(),
        {
            "DescribeServiceDeployments": ecs.describe_service_deployments,
            "DescribeServiceRevisions": ecs.describe_service_revisions,
            "DescribeServices": ecs.describe_services,
            "DescribeTaskDefinition": ecs.describe_task_definition,
            "DescribeTasks": ecs.describe_tasks,
            "ListClusters": ecs.list_clusters,
            "ListDaemons": ecs.list_daemons,
            "ListServices": ecs.list_services,
            "ListTaskDefinitions": ecs.list_task_definitions,
            "ListTasks": ecs.list_tasks,
        },
    ),
    "lambda": Service(
        "lambda",
        RestJson(),
        {"GetFunction": functions.get_function, "ListFunctions": functions.list_functions},
        {
            "InvalidParameterException": "InvalidParameterValueException",
            "ServerException": "ServiceException",
            "ThrottlingException": "TooManyRequestsException",
        },
    ),
    "sts": Service(
        "sts",
        Query(),
        {"AssumeRole": identities.assume_role, "GetCallerIdentity": identities.get_caller_identity},
        {
            "AccessDeniedException": "AccessDenied",
            "ExpiredTokenException": "ExpiredToken",
            "InvalidParameterException": "ValidationError",
            "InvalidSignatureException": "SignatureDoesNotMatch",
            "MissingAuthenticationTokenException": "MissingAuthenticationToken",
            "ServerException": "InternalFailure",
            "ThrottlingException": "Throttling",
            "UnknownOperationException": "InvalidAction",
        },
    ),
    "account": Service(
        "account",
        RestJson(),
        {"ListRegions": identities.list_regions},
        {"InvalidParameterException": "ValidationException", "ServerException": "InternalServerException"},
    ),
    "events": Service(
        "events",
        Json(),
        {
            "ListEventBuses": starters.list_event_buses,
            "ListRuleNamesByTarget": starters.list_rule_names_by_target,
            "ListTargetsByRule": starters.list_targets_by_rule,
        },
        {"InvalidParameterException": "ValidationException", "ServerException": "InternalException"},
    ),
    "scheduler": Service(
        "scheduler",
        RestJson(),
        {"GetSchedule": starters.get_schedule, "ListSchedules": starters.list_schedules},
        {"InvalidParameterException": "ValidationException", "ServerException": "InternalServerException"},
    ),
    "states": Service(
        "stepfunctions",
        Json("json-1.0"),
        {
            "DescribeStateMachine": starters.describe_state_machine,
            "ListStateMachineVersions": starters.list_state_machine_versions,
            "ListStateMachines": starters.list_state_machines,
        },
        {"InvalidParameterException": "ValidationException", "ServerException": "InternalFailure"},
    ),
}
"""By the name that requests are signed for."""

DOWNLOAD = "DownloadLayer"
"""What a GET of the URL of a layer is called in the record of calls, and by faults: S3's, not ECR's."""

KNOWN = frozenset(operation for service in SERVICES.values() for operation in service.operations) | {DOWNLOAD}
"""All operations. No two services have one of the same name, so that hooks and faults need name no service."""
