"""The main job on one repository: read, decide, report, delete, report."""

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TextIO

from aws_ecr_gc import __version__, pending
from aws_ecr_gc.apply import Applied, apply
from aws_ecr_gc.config import Config
from aws_ecr_gc.errors import Exit, Interrupted, OutputLost, worst
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Leftover, Plan, Result
from aws_ecr_gc.policy import indexes_to_read, make_plan
from aws_ecr_gc.ports import RepositoryPort
from aws_ecr_gc.registries.ecr import open_repository
from aws_ecr_gc.registries.manifests import ManifestDirectory
from aws_ecr_gc.registries.reading import (
    IndexVanished,
    list_images,
    with_children,
    with_known_children,
    with_pull_times_of,
)
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.progress import Progress

_LISTINGS = 3
"""How often a repository is listed before a run gives up on one whose indexes keep vanishing while they are read."""

_NOTHING_DONE = Applied({}, None, interrupted=False)


def collect(config: Config, *, now: float, out: TextIO, err: TextIO, stop: Callable[[], bool]) -> Exit:
    """Run the collector on one repository.

    `now` is in epoch seconds; the result goes to `out`, all else to `err`; `stop` tells when to end after the call
    under way. Raises `errors.Error` where no plan can be made.
    """
    run = _Collection(config, now, out, err, stop)
    opened = open_repository(
        config.repository,
        region=config.region,
        registry_id=config.registry_id,
        profile=config.profile,
        endpoint_url=config.endpoint_url,
    )
    with closing(opened) as port:
        plan = run.plan(port)
        run.report_plan(plan)
        applied = _NOTHING_DONE if config.dry_run else run.apply(plan, port)
    try:
        run.report_outcome(plan, applied)
    except OutputLost:
        run.report_counts(plan, applied)
        raise
    return _exit(applied, strict=config.strict)


def _exit(applied: Applied, *, strict: bool) -> Exit:
    results = {outcome.result for outcome in applied.outcomes.values()}
    exits = [Exit.INTERRUPTED] if applied.interrupted else []
    if Result.FAILED in results or (strict and Result.SKIPPED in results):
        exits.append(Exit.SOME_FAILED)
    return worst(exits)


class _Collection:
    """One run: the configuration and the streams that every stage needs."""

    def __init__(self, config: Config, now: float, out: TextIO, err: TextIO, stop: Callable[[], bool]) -> None:
        self._config = config
        self._now = now
        self._out = out
        self._err = err
        self._stop = stop
        self._progress = Progress(err)
        self._cache = ManifestDirectory(config.cache)
        self._first_listing: Inventory | None = None
        self._left_over: tuple[Leftover, ...] = ()

    def plan(self, port: RepositoryPort) -> Plan:
        """Read the repository and decide. An index that vanishes in between makes the listing out of date."""
        for listing in range(1, _LISTINGS + 1):
            try:
                return self._planned(port)
            except IndexVanished as vanished:
                if listing == _LISTINGS:
                    raise
                self._say(f"{vanished}; listing the repository again")
        raise AssertionError("the last listing returns or raises")

    def _planned(self, port: RepositoryPort) -> Plan:
        policy = self._config.policy
        inventory = list_images(port, self._now, self._listed)
        self._first_listing = self._first_listing or inventory
        if inventory is not self._first_listing:
            inventory = with_pull_times_of(self._first_listing, inventory)
        inventory = with_known_children(inventory, self._cache, archived_only=True)
        leftovers = self._leftovers(inventory)
        indexes = indexes_to_read(inventory, policy, self._now, leftovers)
        if indexes:
            inventory = with_children(inventory, indexes, port, self._cache, self._read)
        self._progress.clear()
        if self._cache.trouble is not None:
            self._say(f"warning: the manifest cache is out of use: {self._cache.trouble}; set --cache-dir")
        return make_plan(inventory, policy, self._now, leftovers)

    def _listed(self, images: int) -> None:
        self._go_on(f"{self._config.repository}: {images} images listed")

    def _read(self, indexes: int) -> None:
        self._go_on(f"{self._config.repository}: {indexes} indexes read")

    def _go_on(self, text: str) -> None:
        if self._stop():
            self._progress.clear()
            raise Interrupted("interrupted while reading; nothing was deleted")
        self._progress.show(text)

    def _pending_path(self, inventory: Inventory | Plan) -> Path:
        return pending.path_for(self._config.state, inventory.repository)

    def _leftovers(self, inventory: Inventory) -> tuple[Leftover, ...]:
        if self._config.policy.asks_for_nothing:
            return ()
        path = self._pending_path(inventory)
        try:
            self._left_over = pending.read(path)
        except (OSError, ValueError) as error:
            self._say(f"warning: {path}: an interrupted run's steps can't be read: {error}")
        return self._left_over

    def report_plan(self, plan: Plan) -> None:
        if self._config.policy.asks_for_nothing:
            self._say("nothing to do: neither --keep nor --delete-untagged is given")
        for line in text.remarks(plan):
            self._say(line)
        if self._config.output == "text":
            self._print(text.planned(plan))

    def apply(self, plan: Plan, port: RepositoryPort) -> Applied:
        """Delete. The steps still to do are on disk before the first call, and what is left of them afterwards."""
        if self._config.policy.asks_for_nothing:
            return _NOTHING_DONE
        path = self._pending_path(plan)
        self._record(path, plan, _NOTHING_DONE)
        total = len(plan.steps)
        applied = apply(
            plan, port, stop=self._stop, progress=lambda ended: self._progress.show(f"{ended} of {total} images done")
        )
        self._progress.clear()
        self._record(path, plan, applied)
        return applied

    def _record(self, path: Path, plan: Plan, applied: Applied) -> None:
        """Skipped steps are not to be done any more: the next run decides about them anew.

        What an earlier run left over, and only an unread archived index retains for now, stays on record.
        """
        waiting = {each.image.digest for each in plan.decisions if each.reasons[0].rule == "unread-archived-index"}
        ended = {digest for digest, outcome in applied.outcomes.items() if outcome.result is not Result.FAILED}
        try:
            pending.write(
                path,
                [step for step in plan.steps if step.digest not in ended],
                [each for each in self._left_over if each.digest in waiting],
            )
        except OSError as error:
            self._say(
                f"warning: {path}: the steps still to do can't be recorded: {error}; if this run is killed, "
                "children of deleted indexes may stay; set --state-dir"
            )

    def report_outcome(self, plan: Plan, applied: Applied) -> None:
        if self._config.output == "json":
            self._print([self._document(plan, applied)])
        elif self._config.dry_run:
            self._print(text.dry_run_ends())
        else:
            self._print(text.applied(plan, applied.outcomes))
        left = len(plan.steps) - len(applied.outcomes)
        if applied.stopped_by is not None:
            self._say(str(applied.stopped_by))
        if left and not self._config.dry_run:
            self._say(f"{left} images were not attempted; run again to finish")

    def report_counts(self, plan: Plan, applied: Applied) -> None:
        """What is left to say where the result itself can't be written."""
        done = sum(outcome.result is Result.DONE for outcome in applied.outcomes.values())
        self._say(f"{done} of {len(plan.steps)} images were deleted")

    def _document(self, plan: Plan, applied: Applied) -> str:
        policy = self._config.policy
        return document.encode(
            document.document(
                plan,
                applied.outcomes,
                tool=f"aws-ecr-gc {__version__}",
                policy=document.PolicyPart(
                    {rule.prefix: rule.count for rule in policy.keep}, policy.delete_untagged, policy.grace
                ),
                dry_run=self._config.dry_run,
                interrupted=applied.interrupted,
                stopped_by=None if applied.stopped_by is None else str(applied.stopped_by),
            )
        )

    def _print(self, lines: Iterable[str]) -> None:
        try:
            for line in lines:
                self._out.write(f"{line}\n")
            self._out.flush()
        except OSError as error:
            raise OutputLost(f"standard output can't be written: {error.strerror}") from error

    def _say(self, line: str) -> None:
        with suppress(OSError):  # a remark that nobody can read must not end the work
            self._err.write(f"aws-ecr-gc: {line}\n")
            self._err.flush()
