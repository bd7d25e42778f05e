"""A copy of what will be deleted in a repository, before the first of it is."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import s3_of
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.apply import CHANGED, Applied, Earlier, Terms
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import Connection
from aws_ecr_gc.errors import AwsFailure, BackupLost, Error, Interrupted
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Outcome, Plan, Result, Step
from aws_ecr_gc.ports import RepositoryPort
from aws_ecr_gc.registries.ecr import EcrContents
from aws_ecr_gc.report import text

if TYPE_CHECKING:
    from aws_ecr_gc import backup

NOT_BACKED_UP = "NotBackedUp"

_FIRST_TRY = Earlier()
_IN_THE_ARCHIVE = "it is in the archive, and ECR gives nothing of it to copy; go without --backup to delete it"
Carry = Callable[[Terms, Earlier], Applied]
"""Carries out a plan."""


def demand_backup(stated: str | None) -> None:
    """Raise Misuse, before anything is read, for what can't name a place of backups."""
    if stated is not None:
        from aws_ecr_gc import backup  # noqa: PLC0415 - start-up: most runs copy nothing

        backup.demand_place(stated)


def _place_of(stated: str, connection: Connection) -> "backup.Place":
    from aws_ecr_gc import backup  # noqa: PLC0415 - start-up: most runs copy nothing

    return backup.place_of(stated, s3_of(connection))


class Backups:
    """The copies that a run makes, if it is to make any. For all threads."""

    def __init__(self, stated: str | None, connection: Connection, live: Live, console: Console) -> None:
        """Raises Misuse for what is no place."""
        self._place = None if stated is None else _place_of(stated, connection)
        self._connection = connection
        self._live = live
        self._console = console
        self._session = cache(lambda: Session(connection.profile, connection.region))  # a profile may ask for a code
        self._lock = Lock()

    def telling(self, live: Live, console: Console) -> "Backups":
        """The same, with what is said of it going there."""
        other = Backups(None, self._connection, live, console)
        other._place, other._session, other._lock = self._place, self._session, self._lock
        return other

    def before(
        self,
        carry_out: Carry,
        plan: Plan,
        images: Mapping[str, Image],
        port: RepositoryPort,
        *,
        terms: Terms,
        earlier: Earlier = _FIRST_TRY,
    ) -> Applied:
        """Copy, then carry out. Where the copy can't be made whole, nothing is, and the answer says why.

        What is archived can't be copied, so it is skipped.
        """
        if self._place is None or not plan.steps:
            return carry_out(terms, earlier)
        deletions = plan.going(Action.DELETE)
        if not deletions:
            self._console.say(f"repository {plan.repository.name}: nothing is deleted here, so nothing is copied")
        earlier = _with_outcomes(earlier, _not_to_be_copied(deletions, earlier))
        steps = [step for step in deletions if _is_left(step, earlier)]
        if not steps:
            return carry_out(terms, earlier)
        layout = self._place.layout(plan.repository)
        try:
            terms, earlier = self._copied(steps, images, port, layout, terms=terms, earlier=earlier)
        except Interrupted:
            return Applied({}, None, interrupted=True)
        except Error as error:
            mend = "mend it, or go without a copy by leaving out --backup"
            line = f"repository {plan.repository.name}: nothing was deleted, for it can't be copied: {error}; {mend}"
            kind = BackupLost if isinstance(error, BackupLost) else AwsFailure
            return Applied({}, kind(line, error.code), interrupted=False)
        return carry_out(terms, earlier)

    def _copied(
        self,
        steps: list[Step],
        images: Mapping[str, Image],
        port: RepositoryPort,
        layout: "backup.Layout",
        *,
        terms: Terms,
        earlier: Earlier,
    ) -> tuple[Terms, Earlier]:
        """The terms and the earlier outcomes to go on with: reading a manifest is a pull as well, and not to count."""
        from aws_ecr_gc import backup  # noqa: PLC0415 - start-up: most runs copy nothing

        name = port.repository.name
        if terms.pulled_since is not None:
            earlier = _with_outcomes(earlier, self._pulled(steps, port, terms.pulled_since, earlier))
            steps = [step for step in steps if _is_left(step, earlier)]
        self._console.announce(
            f"repository {name}: {_to_read(steps, images)} will be read for the backup, which counts as a pull"
        )
        with closing(self._contents()) as contents:
            copied = backup.copy(
                steps,
                images,
                port,
                contents.of(name),
                layout,
                stop=self._console.stop,
                progress=lambda progress: self._console.show(f"{name}: {progress}"),
            )
        self._console.say(
            f"repository {name}: backed up to {layout.name}: {text.images(copied.images)}, "
            f"layers and configs fetched: {copied.blobs} ({text.size(copied.size)})"
        )
        if copied.archived:
            self._console.say(
                f"warning: repository {name}: the copy lacks {text.images(len(copied.archived))} that copied indexes "
                f"list, for ECR gives nothing of what is in the archive: {text.some(copied.archived)}"
            )
        return (terms if terms.pulled_since is None else replace(terms, pulled_since=self._live.time())), earlier

    def _contents(self) -> EcrContents:
        from aws_ecr_gc.backup.copying import CONNECTIONS  # noqa: PLC0415 - start-up: most runs copy nothing

        connection = self._connection
        with self._lock:
            return EcrContents(self._session(), connection.registry_id, connection.endpoint_url, CONNECTIONS)

    def _pulled(self, steps: Iterable[Step], port: RepositoryPort, since: float, earlier: Earlier) -> Iterable[Outcome]:
        """Those that others pulled since the plan: afterwards nobody could tell that from our own reading."""
        pulled = {image.digest for page in port.pages() for image in page if (image.pulled_at or 0) > since}
        detail = "pulled since the plan, and a rule goes by that"
        for step in steps:
            if step.digest in pulled and step.digest not in earlier.attempted:
                yield Outcome(step.digest, Result.SKIPPED, CHANGED, detail)


def _not_to_be_copied(steps: Iterable[Step], earlier: Earlier) -> Iterable[Outcome]:
    """Those that are in the archive: to delete them without a copy is not what was asked for."""
    for step in steps:
        if step.status is not Status.ACTIVE and _is_left(step, earlier):
            yield Outcome(step.digest, Result.SKIPPED, NOT_BACKED_UP, _IN_THE_ARCHIVE)


def _to_read(steps: Iterable[Step], images: Mapping[str, Image]) -> str:
    """How many manifests: those of the steps, and of what they list that is there."""
    found = {step.digest: None for step in steps}
    waiting = list(found)
    known = True
    while waiting:
        image = images.get(waiting.pop())
        if image is None:
            continue
        known = known and image.children is not None
        for child in image.children or ():
            if child not in found and child in images and images[child].status is Status.ACTIVE:
                found[child] = None
                waiting.append(child)
    return text.manifests(len(found)) if known else f"at least {text.manifests(len(found))}"


def _is_left(step: Step, earlier: Earlier) -> bool:
    outcome = earlier.outcomes.get(step.digest)
    return outcome is None or outcome.result is Result.FAILED


def _with_outcomes(earlier: Earlier, outcomes: Iterable[Outcome]) -> Earlier:
    return replace(earlier, outcomes={**earlier.outcomes, **{each.digest: each for each in outcomes}})
