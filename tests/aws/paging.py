"""Limits of AWS that moto does not have: pages, their tokens, and how much one call may name."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botocore.model import OperationModel

from tests.aws.calls import Call
from tests.aws.wire import Refusal


class Size(NamedTuple):
    """How many items a page has, and the most a caller may ask for."""

    default: int
    most: int
    refuses: bool = True
    """Whether asking for more is an error; Lambda quietly gives no more instead."""


PAGES: Mapping[tuple[str, str], Size] = {
    ("ecs", "ListClusters"): Size(100, 100),
    ("ecs", "ListServices"): Size(10, 100),
    ("ecs", "ListTasks"): Size(100, 100),
    ("ecs", "ListTaskDefinitions"): Size(100, 100),
    ("ecs", "ListTaskDefinitionFamilies"): Size(100, 100),
    ("ecs", "ListServiceDeployments"): Size(20, 100),
    ("lambda", "ListFunctions"): Size(50, 50, refuses=False),
    ("lambda", "ListVersionsByFunction"): Size(50, 50, refuses=False),
    ("lambda", "ListAliases"): Size(50, 50, refuses=False),
    ("batch", "DescribeJobDefinitions"): Size(100, 100),
    ("batch", "DescribeJobQueues"): Size(100, 100),
    ("batch", "ListJobs"): Size(100, 100),
    ("apprunner", "ListServices"): Size(20, 20),
    ("sagemaker", "ListModels"): Size(10, 100),
    ("sagemaker", "ListEndpoints"): Size(10, 100),
    ("sagemaker", "ListTrainingJobs"): Size(10, 100),
    ("sagemaker", "ListProcessingJobs"): Size(10, 100),
    ("sagemaker", "ListModelPackages"): Size(10, 100),
    ("codebuild", "ListProjects"): Size(100, 100),
    ("bedrock-agentcore-control", "ListAgentRuntimes"): Size(10, 100),
    ("emr-serverless", "ListApplications"): Size(10, 50),
    ("scheduler", "ListSchedules"): Size(100, 100),
    ("events", "ListRules"): Size(100, 100),
    ("events", "ListTargetsByRule"): Size(100, 100),
    ("stepfunctions", "ListStateMachines"): Size(100, 1000),
    ("eks", "ListClusters"): Size(100, 100),
    ("organizations", "ListAccounts"): Size(20, 20),
    ("cloudformation", "ListStacks"): Size(100, 100),
}
"""Served in pages from the start; what the limits of the model do not say is from AWS's API references."""

NAMES: Mapping[tuple[str, str], Mapping[str, int]] = {
    ("ecs", "DescribeServices"): {"services": 10},
    ("ecs", "DescribeTasks"): {"tasks": 100},
    ("ecs", "DescribeClusters"): {"clusters": 100},
    ("ecs", "DescribeServiceRevisions"): {"serviceRevisionArns": 20},
    ("ecs", "DescribeServiceDeployments"): {"serviceDeploymentArns": 20},
    ("batch", "DescribeJobs"): {"jobs": 100},
    ("batch", "DescribeJobDefinitions"): {"jobDefinitions": 100},
    ("batch", "DescribeJobQueues"): {"jobQueues": 100},
    ("codebuild", "BatchGetProjects"): {"names": 100},
}
"""How many things one call may name where botocore's model holds no limit."""

_REFUSED = {
    "ecs": "InvalidParameterException",
    "lambda": "InvalidParameterValueException",
    "batch": "ClientException",
    "apprunner": "InvalidRequestException",
    "codebuild": "InvalidInputException",
    "cloudformation": "ValidationError",
    "organizations": "InvalidInputException",
    "imagebuilder": "InvalidPaginationTokenException",
    "eks": "InvalidParameterException",
    "stepfunctions": "InvalidToken",
}
_TOKENS_IN = ("nextToken", "NextToken", "Marker")
_TOKENS_OUT = ("nextToken", "NextToken", "NextMarker", "Marker")
_LIMITS = ("maxResults", "MaxResults", "MaxItems", "Limit", "maxItems", "PageSize")


def refusal(call: Call, message: str) -> Refusal:
    """A bad parameter, in the words of its service."""
    return Refusal(_REFUSED.get(call.service, "ValidationException"), message)


class Members(NamedTuple):
    """The members that paging goes by."""

    token_in: str
    token_out: str
    limit: str | None
    items: str


def members_of(operation: OperationModel, items: str | None = None) -> Members:
    """Find them in the model. Raises ValueError where the model does not page, or pages more than one list."""
    given, answered = operation.input_shape.members, operation.output_shape.members
    lists = [items] if items else [name for name, member in answered.items() if member.type_name == "list"]
    token_in = next((name for name in _TOKENS_IN if name in given), None)
    token_out = next((name for name in _TOKENS_OUT if name in answered), None)
    if token_in is None or token_out is None or len(lists) != 1 or lists[0] not in answered:
        raise ValueError(f"{operation.name}: cannot tell what is paged: {token_in}, {token_out}, {lists}")
    return Members(token_in, token_out, next((name for name in _LIMITS if name in given), None), lists[0])


def demand_limits(call: Call) -> None:
    """Refuse a call that names or asks for more than AWS allows. Raises Refusal."""
    stated = NAMES.get((call.service, call.operation), {})
    size = PAGES.get((call.service, call.operation))
    for name, value in call.parameters.items():
        shape = call.model.input_shape.members[name]
        most = stated.get(name) or shape.metadata.get("max")
        if name in _LIMITS and size is not None and size.refuses:
            most = size.most
        measured = len(value) if isinstance(value, list) else value if isinstance(value, int) else None
        if most is not None and measured is not None and measured > most:
            raise refusal(call, f"{name}: {measured} is more than {most}, the most that {call.operation} takes")


@dataclass(frozen=True, slots=True)
class Paging:
    """How one operation is served."""

    members: Members
    size: int
    most: int
    hollow: bool = False
    """Whether an empty page with a token comes before every page, as AWS's filters cause it."""


class _Mark(NamedTuple):
    asked: tuple[Any, ...]
    items: list[Any]
    rest: dict[str, Any]
    start: int
    hollow: bool


@dataclass(slots=True)
class Pages:
    """Hands listings out page by page; a listing is read once, when its first page is asked for."""

    _marks: dict[str, _Mark] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, call: Call, paging: Paging, read: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """One page; `read` answers a call without limit, with a token of its own. Raises Refusal."""
        names = paging.members
        query = {key: call.parameters[key] for key in call.parameters if key not in {names.token_in, names.limit}}
        asked = (call.service, call.operation, call.account, call.region, query)
        token = call.parameters.get(names.token_in)
        mark = self._marked(call, token, asked) if token else self._first(asked, paging, read)
        wanted = call.parameters.get(names.limit) if names.limit else None
        size = 0 if mark.hollow else min(wanted or paging.size, paging.most)
        until = mark.start + size
        output = {**mark.rest, names.items: mark.items[mark.start : until]}
        if until < len(mark.items):
            onward = mark._replace(start=until, hollow=paging.hollow and not mark.hollow)
            output[names.token_out] = self._token(onward)
        return output

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self._marks.clear()

    def _marked(self, call: Call, token: str, asked: tuple[Any, ...]) -> _Mark:
        with self._lock:
            mark = self._marks.get(token)
        if mark is None or mark.asked != asked:
            raise refusal(call, "Invalid token: it is not one that this listing handed out")
        return mark

    def _first(self, asked: tuple[Any, ...], paging: Paging, read: Callable[[dict[str, Any]], dict[str, Any]]) -> _Mark:
        names, items, token = paging.members, [], None
        while True:
            output = dict(read({**asked[-1], **({names.token_in: token} if token else {})}))
            items += output.pop(names.items, [])
            token = output.pop(names.token_out, None)
            if not token:
                return _Mark(asked, items, output, 0, paging.hollow)

    def _token(self, mark: _Mark) -> str:
        token = uuid.uuid4().hex
        with self._lock:
            self._marks[token] = mark
        return token
