"""One randomised apply of a plan file: faults, other people's changes, a kill, and what its journal finishes."""

import hashlib
import random
from multiprocessing.process import BaseProcess
from pathlib import Path

from aws_ecr_gc import journal, planfile
from aws_ecr_gc.apply import CHANGED, NOT_BACK, PUT_BACK, TAKEN_WHOLE
from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.errors import Misuse
from aws_ecr_gc.journal import InRepository, Recorded
from aws_ecr_gc.plan import Result
from aws_ecr_gc.planfile import PlannedRepository
from aws_ecr_gc.sandbox import Deletion, Faults, Sandbox
from tests.wire.fault_case import FaultCase
from tests.wire.neighbours import Neighbours

_EXITS = {0, 1, 2, 3, 4, 5}
_REFUSED = {"ImageReferencedByManifestList", "ImageStorageClassUpdateNotSupported", "StillNeeded", PUT_BACK}


class ApplyCase(FaultCase):
    """Everything about a case follows from its seed. The plan is made in calm; everything strikes what comes after."""

    _has_neighbours = True

    def __init__(self, seed: int, sandbox: Sandbox, home: Path) -> None:
        super().__init__(seed, sandbox, home)
        self._shell.environment["AWS_ENDPOINT_URL"] = sandbox.url
        self._plan_file = home / "plan.json"
        self._journals = home / "journals"
        if self._random.random() < 0.4:
            self._tag_heavily()
        more = random.Random(f"neighbours {seed}")  # not those of the other draws: what a seed was it stays
        self._workers = ["--concurrency", str(more.choice([1, 2, 4, 16]))]
        self._neighbours = Neighbours(more, sandbox) if self._has_neighbours else None
        made = self._shell("plan", *self._policy_words(), "--out", str(self._plan_file))
        assert made.exit == 0, made.err
        *others, planned = planfile.load(self._plan_file).repositories
        self._read_plan(planned)
        if self._neighbours is not None:
            self._neighbours.plan(others)
        self._deleted: list[Deletion] = []

    def _policy_words(self) -> list[str]:
        """What the plan is made by."""
        words = [word for word in self._words if word not in {"--output", "json"}]
        return words if self._neighbours is None else [*words, *self._neighbours.words]

    def _read_plan(self, planned: PlannedRepository) -> None:
        self._plan = {step.digest: {"tags": step.tags, "after": step.after} for step in planned.plan.steps}

    def _tag_heavily(self) -> None:
        """More tags than fit in one call, on an image that prefixes may take."""
        digest = self._random.choice(sorted(self._repository.images))
        for number in range(self._random.randint(101, 250)):
            self._repository.tag(f"build-many-{number}", digest)

    def _moment(self) -> tuple[str, int]:
        """The calls that made the plan have been already."""
        operation, call = super()._moment()
        return operation, call + sum(each.operation == operation for each in self._sandbox.calls)

    def _plant(self) -> None:
        super()._plant()
        if self._neighbours is not None:
            self._neighbours.plant()

    def run_disturbed(self) -> None:
        """The apply that everything strikes: full disks as well, and another one of the same plan at the same time."""
        self._plant()
        words = ["apply", str(self._plan_file), "--yes", *self._workers, "--journal"]
        room = self._random.randint(500, 30_000) if self._random.random() < 0.1 else None
        twin = self._random.random() < 0.15
        self._works_in_parallel = twin or (self._neighbours is not None and self._workers[-1] != "1")
        other = self._started([*words, str(self._home / "twin")], "twin.json") if twin else None
        code = self._carry_out(*words, str(self._journals), room=room, other=other)
        assert code in _EXITS or self.killed, (self._home / "out.err").read_text()

    def run_again(self) -> None:
        """Undisturbed: the journal finishes it, and once more finds nothing to do."""
        self._sandbox.faults = Faults()
        self._calm = True
        codes = {
            path: self._carry_out("apply", "--resume", str(path), "--yes", *self._workers)
            for path in self._all_journals()
        }
        finished = {path: code for path, code in codes.items() if code != 2}
        if not finished:
            # It ended before anything was on record, so nothing was deleted.
            assert not self._deleted
        for path, code in finished.items():
            self._is_settled(self._recorded(path), code)

    def _all_journals(self) -> list[Path]:
        return [*self._journals.glob("*.jsonl"), *(self._home / "twin").glob("*.jsonl")]

    def _is_settled(self, recorded: Recorded, code: int) -> None:
        self._the_journal_is_true(recorded)
        if self._digests_told(NOT_BACK, TAKEN_WHOLE) or self._takes_whole_is_remembered():
            # What one process finds out about the registry ends the work of all of them for good, and none says "done".
            unsettled = [name for name, of_it in recorded.repositories.items() if of_it.remaining()]
            assert code in {4, 5} or not unsettled, f"exit {code}, and {unsettled} is not settled"
            return
        if self._neighbours is not None:
            self._neighbours.are_settled(recorded)
        for name, of_it in recorded.repositories.items():
            for step in of_it.remaining():
                outcome = of_it.outcomes[step.digest]
                assert outcome.code in _REFUSED, f"{name}: {outcome} is not settled"
            assert {step.digest for step in of_it.planned.steps} == of_it.outcomes.keys()

    def _takes_whole_is_remembered(self) -> bool:
        """Whether it was found out that the registry takes whole images, maybe with no room left in the journal."""
        return any((self._home / "state").rglob("takes-whole-images/*/*"))

    def _digests_told(self, *codes: str) -> set[str]:
        """The images of which any of the processes, each with a journal of its own, has recorded one of `codes`."""
        return {
            digest
            for path in self._all_journals()
            if (of_it := self._of_testrepo(path)) is not None
            for digest, outcome in of_it.outcomes.items()
            if outcome.code in codes
        }

    def _carry_out(self, *words: str, room: int | None = None, other: BaseProcess | None = None) -> int:
        """The exit code of a process; the laws hold for what it deleted, and another one beside it."""
        before = len(self._sandbox.deletions) if other is None else 0
        code = self._process_of(list(words), room)
        if other is not None:
            assert self._ended(other) in _EXITS, (self._home / "twin.err").read_text()
        new = [each for each in self._sandbox.deletions[before:] if each.by == "BatchDeleteImage"]
        if self._neighbours is not None:
            self._neighbours.check(new, filter(None, map(self._read, self._all_journals())))
        new = [each for each in new if each.repository == "testrepo"]
        self._deleted += new
        self._check(new, None, code)
        if self._deleted:
            self._everything_was_announced()
        return code

    def _recorded(self, path: Path) -> Recorded:
        place, name = journal.journal_at(path, no_s3)
        return journal.read(place, name)

    def _everything_was_announced(self) -> None:
        announced: set[tuple[str, str | None]] = set()
        for path in self._all_journals():
            if (of_it := self._of_testrepo(path)) is None:
                continue
            announced.update((digest, tag) for digest, tags in of_it.attempted.items() for tag in (None, *tags))
            for digest, seen in of_it.images.items():
                assert seen.manifest is None or f"sha256:{hashlib.sha256(seen.manifest).hexdigest()}" == digest
        for deletion in self._deleted:
            assert (deletion.digest, None) in announced, f"{deletion} was not on record"
            if deletion.tag is not None and deletion.tag not in self._window_tags:
                assert (deletion.digest, deletion.tag) in announced, f"{deletion} was not on record"

    def _of_testrepo(self, path: Path) -> InRepository | None:
        recorded = self._read(path)
        return None if recorded is None else recorded.repositories.get("testrepo")

    def _read(self, path: Path) -> Recorded | None:
        """What is on record; nothing where the journal was broken off before its first line was whole."""
        try:
            return self._recorded(path)
        except Misuse:
            return None

    def _the_journal_is_true(self, recorded: Recorded) -> None:
        for of_it in [each for name, each in recorded.repositories.items() if name == "testrepo"]:
            for digest, outcome in of_it.outcomes.items():
                if outcome.result is Result.DONE and digest in self._repository.images:
                    late = set(self._repository.images[digest].tags) & self._window_tags
                    assert late or digest in self._touched, f"{digest} is said to be gone"
                if outcome.code == CHANGED:
                    assert digest in self._touched, f"{digest} is said to have changed: {outcome.detail}"


def no_s3() -> Client:
    raise AssertionError("no S3 is asked for")
