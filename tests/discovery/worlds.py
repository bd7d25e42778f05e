"""Words for tests about what is in use."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from aws_ecr_gc.discovery.reading import Discovery
from aws_ecr_gc.discovery.sources import SOURCES
from aws_ecr_gc.usage import InUse
from tests.aws.calls import ACCOUNT, Call
from tests.aws.faults import When, always
from tests.aws.server import Cloud

REGION = "us-east-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"

Found = tuple[str, str, bool]
"""A use as tests speak of it: the image without its registry, the workload, and whether it is current."""


def digest(number: int) -> str:
    """A digest that is told from others by its number."""
    return f"sha256:{number:064x}"


def uri(image: str) -> str:
    """`app:v1` in the registry of the account and region that are read."""
    return f"{REGISTRY}/{image}"


def uses(in_use: InUse) -> set[Found]:
    """All uses of one reading."""
    return {
        (str(use.reference).removeprefix(f"{REGISTRY}/"), use.workload, use.current)
        for of_one in in_use.uses.values()
        for use in of_one
    }


class Reading:
    """Reads sources, each by one Discovery, which remembers from one reading to the next."""

    def __init__(self, discovery: Callable[..., Discovery]) -> None:
        self._make = discovery
        self._known: dict[tuple[str, ...], Discovery] = {}

    def in_use(self, *sources: str) -> InUse:
        """What was read, and what could not be."""
        if sources not in self._known:
            self._known[sources] = self._make(*sources)
        in_use = self._known[sources].read(0)
        # After a failure some calls are still under way, and would arrive when the next test has begun.
        for thread in threading.enumerate():
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join()
        return in_use

    def __call__(self, *sources: str) -> set[Found]:
        """The uses, where everything could be read."""
        in_use = self.in_use(*sources)
        assert in_use.unread == ()
        return uses(in_use)

    def refused(self, source: str) -> str:
        """Why the source could not be read; nothing of it is in use then."""
        in_use = self.in_use(source)
        (unread,) = in_use.unread
        assert unread.origin.source == source
        assert uses(in_use) == set()
        return unread.reason


def needed(cloud: Cloud, source: str) -> bool:
    """Whether the calls that were made need exactly the IAM actions that the table states."""
    reading = ("BatchGet", "Describe", "Get", "List")
    calls = [call for call in cloud.calls if call.service in SOURCES[source].services]
    made = {call.action for call in calls if call.operation.startswith(reading)}
    assert made == set(SOURCES[source].actions)
    return True


def listing(
    cloud: Cloud, service: str, operation: str, member: str, rows: Callable[[Call], Sequence[Any]] | Sequence[Any]
) -> None:
    """Let a listing answer with these rows, one on each page."""

    def answer(call: Call) -> dict[str, Any]:
        return {member: list(rows(call) if callable(rows) else rows)}

    cloud.answer(service, operation, answer)
    cloud.paginate(service, operation, member, size_limit=1)


def naming(parameter: str, *names: str) -> When:
    """The calls that ask for one of these."""
    return lambda call: call.parameters.get(parameter) in names


def vanish(  # noqa: PLR0917 - the same order as Cloud.fail
    cloud: Cloud,
    service: str,
    operation: str,
    when: When = always,
    code: str = "ResourceNotFoundException",
    message: str = "It does not exist.",
) -> None:
    """Let what was listed be gone when it is asked for."""
    cloud.fail(
        service, operation, when, status=404 if code == "ResourceNotFoundException" else 400, code=code, message=message
    )
