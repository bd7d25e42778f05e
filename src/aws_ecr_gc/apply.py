"""The one place that deletes. It takes a finished plan and does what stands in it, and nothing else.

Why it is safe:
- Tagged images are deleted by (digest, tag) pairs, one for each tag seen in the plan. A tag that was moved meanwhile
  fails instead of taking another image with it. This holds whether ECR then removes one tag or the whole image.
- Right before each call its images are described again. What changed since the plan is skipped.
- Before each call the caller may veto steps: what came into use since the plan. Where that can't be known, it ends.
- Each call is on record before it is made, and its answer after it. Where that can't be written, no call is made.
- What needs an image goes in an earlier call. If an index or a subject is still there, what follows it is skipped: ECR
  guards the children of indexes, and before referrers go it is asked once more whether their subjects are gone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from aws_ecr_gc.errors import Error, GuardStopped, ImageNotFound, Interrupted, JournalLost, Unintelligible
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Outcome, Plan, Result, Step
from aws_ecr_gc.ports import BATCH, Deletion, ImageId, Recorder, RepositoryPort

CHANGED = "ChangedSincePlan"
STILL_NEEDED = "StillNeeded"
UNCONFIRMED = "Unconfirmed"
IN_USE = "InUse"
_GONE = "ImageNotFound"
_MOVED = "ImageTagDoesNotMatchDigest"
_REFERENCED = "ImageReferencedByManifestList"


Veto = Callable[[], Mapping[str, str]]
"""What must not be deleted after all: why, by digest. Asked before each call; an `errors.Error` ends the work.

It gives the same mapping as long as it knows nothing newer.
"""
_LOOKS = 3


class Terms(Struct, frozen=True):
    """How a plan is carried out.

    An image that was pulled later than `pulled_since`, in epoch seconds, is skipped: where a rule goes by pulls, that
    is the end of the reading that the plan was made from, for the reading itself counts as a pull. `canary` is how many
    images go first, and alone; if one of them fails, no more do. After `max_failures` failures in a row nothing more
    is tried.
    """

    pulled_since: float | None = None
    canary: int | None = None
    max_failures: int | None = None


class Earlier(Struct, frozen=True):
    """What an interrupted try of the same plan came to: outcomes, and by digest the tags of its deletion calls.

    What is done or skipped is not tried again. Nobody may know what became of a call: those tags may be gone.
    """

    outcomes: Mapping[str, Outcome] = {}
    attempted: Mapping[str, frozenset[str]] = {}


_PLAIN = Terms()
_FIRST_TRY = Earlier()


class Applied(Struct, frozen=True):
    """What became of the steps, in the order they ended. Steps without an outcome were not attempted.

    `stopped_by` is the failure that ended the work early; `called` says whether any deletion was called for.
    """

    outcomes: dict[str, Outcome]
    stopped_by: Error | None
    interrupted: bool
    called: bool = False


def apply(
    plan: Plan,
    port: RepositoryPort,
    *,
    stop: Callable[[], bool],
    veto: Veto | None = None,
    terms: Terms = _PLAIN,
    earlier: Earlier = _FIRST_TRY,
    recorder: Recorder | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Applied:
    """Carry out the steps of a plan until they are done, `stop` says so, or a call fails after all its retries.

    The outcomes of an `earlier` try are among those returned.
    """
    nothing: Mapping[str, str] = {}
    run = _Run(port, stop, veto or (lambda: nothing), progress, terms=terms, earlier=earlier, recorder=recorder)
    steps = [step for step in plan.steps if step.digest not in run.outcomes]
    if terms.canary is not None:
        run.carry_out(steps[: terms.canary])
        run.carry_out(run.take_deferred(), last_try=True)
        run.judge_canary(terms.canary)
        steps = steps[terms.canary :]
    run.carry_out(steps)
    run.carry_out(run.take_deferred(), last_try=True)
    return Applied(run.outcomes, run.stopped_by, run.interrupted, run.called)


def _batches(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps of one wave, as many as fit in one call. A step's ids never straddle two calls unless they fill one."""
    batch: list[Step] = []
    ids = 0
    for step in steps:
        needed = max(1, len(step.tags))
        if batch and (ids + needed > BATCH or step.wave != batch[0].wave):
            yield batch
            batch, ids = [], 0
        batch.append(step)
        ids += needed
    if batch:
        yield batch


class _Run:
    """The state of one apply.

    `_tags` holds the tags that each image must still have: those seen, less those removed. `_removed_by_tag` are the
    images that are gone for all that the answers to their tags say.
    """

    def __init__(
        self,
        port: RepositoryPort,
        stop: Callable[[], bool],
        veto: Veto,
        progress: Callable[[int], None],
        *,
        terms: Terms,
        earlier: Earlier,
        recorder: Recorder | None,
    ) -> None:
        self._port = port
        self._recorder = recorder
        self._unrecorded: list[Outcome] = []
        self._seen: dict[str, Image] = {}
        self._manifests: dict[str, bytes] = {}
        self._terms = terms
        self._attempted = earlier.attempted
        self._read = set(earlier.attempted)
        self._failures_in_a_row = 0
        self._stop = stop
        self._veto = veto
        self._vetoed: Mapping[str, str] = {}
        self._progress = progress
        self._tags: dict[str, list[str]] = {}
        self._deferred: dict[str, Step] = {}
        self._removed_by_tag = {digest for digest, outcome in earlier.outcomes.items() if outcome.result is Result.DONE}
        self.outcomes = {
            digest: outcome for digest, outcome in earlier.outcomes.items() if outcome.result is not Result.FAILED
        }
        self.stopped_by: Error | None = None
        self.interrupted = False
        self.called = False

    def take_deferred(self) -> list[Step]:
        deferred, self._deferred = list(self._deferred.values()), {}
        return deferred

    def carry_out(self, steps: Sequence[Step], *, last_try: bool = False) -> None:
        for batch in _batches(steps):
            if not self._goes_on():
                return
            unfinished = self._unblocked(self._unvetoed(batch))
            while unfinished and self._goes_on():
                unfinished = self._attempt(unfinished, last_try=last_try)
                self._progress(len(self.outcomes))
            self._record_outcomes()

    def _record_outcomes(self) -> None:
        outcomes, self._unrecorded = self._unrecorded, []
        if self._recorder is None or not outcomes:
            return
        try:
            self._recorder.outcomes(outcomes)
        except JournalLost as error:
            self.stopped_by = self.stopped_by or error

    def _unvetoed(self, batch: list[Step]) -> list[Step]:
        """Those that nobody objects to. A veto that can't be had ends the work before anything of the batch is done."""
        if not batch or self.stopped_by is not None:
            return []
        try:
            self._vetoed = vetoed = self._veto()
        except Error as error:
            self.interrupted = isinstance(error, Interrupted)
            self.stopped_by = None if self.interrupted else error
            return []
        for step in batch:
            if step.digest in vetoed:
                self._end(step, Result.SKIPPED, IN_USE, vetoed[step.digest])
        return [step for step in batch if step.digest not in vetoed]

    def judge_canary(self, number: int) -> None:
        """End the work if one of the first deletions failed."""
        failed = sum(outcome.result is Result.FAILED for outcome in self.outcomes.values())
        if failed and self.stopped_by is None:
            self.stopped_by = GuardStopped(
                f"the guard canary: {failed} of the first {number} deletions failed, so no more are tried; "
                "mend what failed, or raise guards.canary"
            )

    def _goes_on(self) -> bool:
        bound = self._terms.max_failures
        if bound is not None and self._failures_in_a_row >= bound and self.stopped_by is None:
            self.stopped_by = GuardStopped(
                f"the guard max_failures: {self._failures_in_a_row} deletions in a row failed, so no more are tried; "
                "mend what failed, or raise guards.max_failures"
            )
        self.interrupted = self.interrupted or self._stop()
        return self.stopped_by is None and not self.interrupted

    def _unblocked(self, batch: list[Step]) -> list[Step]:
        try:
            self._make_sure_of_subjects(batch)
        except Error as error:
            self._fail(batch, error)
            return []
        return [step for step in batch if self._may_go(step)]

    def _make_sure_of_subjects(self, batch: list[Step]) -> None:
        """A tag that a subject got between the look and its deletion keeps it alive: then its referrers stay too.

        Only BatchGetImage answers for each digest by itself. It moves the pull time of what is still there.
        """
        subjects = dict.fromkeys(subject for step in batch for subject in step.subjects)
        doubtful = [digest for digest in subjects if digest in self._removed_by_tag]
        self._removed_by_tag.difference_update(doubtful)
        for start in range(0, len(doubtful), BATCH):
            for digest in self._port.manifests(doubtful[start : start + BATCH]):
                detail = "it got another tag while those of the plan were removed"
                self._conclude_with(Outcome(digest, Result.SKIPPED, CHANGED, detail))

    def _may_go(self, step: Step) -> bool:
        """Whether all that needs the image is gone."""
        for digest in step.after:
            if digest in self._deferred:
                self._deferred[step.digest] = step
                return False
            if digest not in self.outcomes or self.outcomes[digest].result is not Result.DONE:
                self._end(step, Result.SKIPPED, STILL_NEEDED, f"{digest} is still there")
                return False
        return True

    def _attempt(self, steps: list[Step], *, last_try: bool) -> list[Step]:
        """One look and one deletion. Returns the steps that need another: only an image with more tags than fit."""
        try:
            steps = self._with_manifests(steps)
            self._port.turn()
            ready = self._ready(steps)
            if not ready or not self._goes_on():
                return []
            ids = [each for step in ready for each in self._ids(step)][:BATCH]
            deletion = self._delete(ids)
            return self._conclude(ready, ids, deletion, last_try=last_try)
        except JournalLost as error:
            self.stopped_by = error  # nothing was deleted: what could not be put on record was not tried
            return []
        except Error as error:
            self._fail(steps, error)
            return []

    def _delete(self, ids: list[ImageId]) -> Deletion:
        """The call, between its records. Raises JournalLost before it, never after it: then its answer still counts."""
        recorder = self._recorder
        if recorder is None:
            self.called = True
            return self._port.delete(ids)
        seen = [self._seen[digest] for digest in {each.digest: None for each in ids}]
        number = recorder.about(ids, seen, self._manifests)
        self.called = True
        try:
            deletion = self._port.delete(ids)
        except Error as error:
            self._record_answer(number, error)
            raise
        self._record_answer(number, deletion)
        return deletion

    def _with_manifests(self, steps: list[Step]) -> list[Step]:
        """Read the manifests that are to be on record, before the last look: nothing comes between that and the call.

        Reading counts as a pull, so whether others pulled since the plan is looked at before.
        """
        if self._recorder is None:
            return steps
        wanted = self._recorder.wants([step.digest for step in steps])
        if wanted and self._terms.pulled_since is not None:
            steps = self._unchanged(steps)
            wanted = self._recorder.wants([step.digest for step in steps])
        self._manifests = self._port.manifests(wanted) if wanted else {}
        self._read.update(wanted)
        return steps

    def _record_answer(self, number: int, answer: Deletion | Error) -> None:
        if self._recorder is not None:
            try:
                self._recorder.answered(number, answer)
            except JournalLost as error:
                self.stopped_by = error

    def _ready(self, steps: list[Step]) -> list[Step]:
        """Those that are unchanged and unvetoed at one time, or nearly: each look may take long enough for the other to
        be out of date.
        """
        ready = steps
        for _ in range(_LOOKS):
            ready = self._unvetoed(ready)
            vetoed = self._vetoed
            ready = self._unvetoed(self._unchanged(ready))
            if self._vetoed is vetoed:
                break
        return ready

    def _fail(self, steps: list[Step], error: Error) -> None:
        for step in steps:
            if step.digest not in self.outcomes and step.digest not in self._deferred:
                self._end(step, Result.FAILED, error.code, str(error))
        self.stopped_by = error

    def _ids(self, step: Step) -> list[ImageId]:
        if not step.tags:
            return [ImageId(step.digest, None)]
        return [ImageId(step.digest, tag) for tag in self._tags.setdefault(step.digest, list(step.tags))]

    def _unchanged(self, steps: list[Step]) -> list[Step]:
        """Those that are still as the plan saw them. One that is gone is done."""
        now = self._look(steps)
        ready = []
        for step in steps:
            image = now.get(step.digest)
            if image is None:
                self._end(step, Result.DONE)
            elif change := self._change(step, image):
                self._end(step, Result.SKIPPED, CHANGED, change)
            else:
                ready.append(step)
        return ready

    def _change(self, step: Step, image: Image) -> str | None:
        expected = {each.tag for each in self._ids(step) if each.tag is not None}
        if set(image.tags) != expected and not self._lost_tags_before(image, expected):
            return f"tagged {_listed(image.tags)} now, {_listed(expected)} in the plan"
        if image.status is not step.status:
            return f"{image.status} now, {step.status} in the plan"
        if image.pushed_at != step.pushed_at:
            return "deleted and pushed again meanwhile"
        since = self._terms.pulled_since
        if since is not None and (image.pulled_at or 0) > since and step.digest not in self._read:
            return "pulled since the plan, and a rule goes by that"
        return None

    def _lost_tags_before(self, image: Image, expected: set[str]) -> bool:
        """Whether all that is missing are tags that an earlier try may have removed; then the others are left to do."""
        there = set(image.tags)
        if not there or not there < expected or not expected - there <= self._attempted.get(image.digest, frozenset()):
            return False
        self._tags[image.digest] = [tag for tag in self._tags[image.digest] if tag in there]
        return True

    def _look(self, steps: Sequence[Step]) -> dict[str, Image]:
        self._seen = {image.digest: image for image in self._present([step.digest for step in steps])}
        return self._seen

    def _present(self, digests: list[str]) -> list[Image]:
        """The images that exist. A call that names a vanished one fails whole: drop it, or halve until it is found."""
        while digests:
            try:
                return _whole(self._port.describe(digests), digests)
            except ImageNotFound as error:
                if error.digest in digests:
                    digests = [digest for digest in digests if digest != error.digest]
                elif len(digests) == 1:
                    return []
                else:
                    middle = len(digests) // 2
                    return self._present(digests[:middle]) + self._present(digests[middle:])
        return []

    def _conclude(self, steps: list[Step], ids: list[ImageId], deletion: Deletion, *, last_try: bool) -> list[Step]:
        """Read the answer, image by image. What it leaves open is looked at again."""
        answered = _by_digest(ids, deletion)
        unfinished, open_steps = [], []
        for step in steps:
            answer = answered[step.digest]
            refusal = answer.refusal
            self._tags[step.digest] = [tag for tag in self._tags.get(step.digest, ()) if tag not in answer.gone_tags]
            if refusal is not None and refusal[0] == _REFERENCED and not last_try:
                self._deferred[step.digest] = step
            elif refusal is not None:
                self._end(step, Result.FAILED, *refusal)
            elif answer.moved or answer.silent:
                open_steps.append((step, answer.moved))
            elif self._tags[step.digest]:
                unfinished.append(step)
            else:
                self._end(step, Result.DONE)
                if step.tags:
                    self._removed_by_tag.add(step.digest)
        if open_steps:
            self._settle(open_steps)
        return unfinished

    def _settle(self, open_steps: list[tuple[Step, bool]]) -> None:
        """A tag was moved away, or the answer does not mention the image: what is gone is done."""
        now = self._look([step for step, _ in open_steps])
        for step, moved in open_steps:
            if step.digest not in now:
                self._end(step, Result.DONE)
            elif moved:
                tags = _listed(now[step.digest].tags)
                self._end(step, Result.SKIPPED, CHANGED, f"a tag was moved meanwhile; tagged {tags} now")
            else:
                self._end(step, Result.FAILED, UNCONFIRMED, "ECR's answer does not mention it, and it is still there")

    def _end(self, step: Step, result: Result, code: str = "", detail: str = "") -> None:
        self._conclude_with(Outcome(step.digest, result, code, detail))
        self._failures_in_a_row = self._failures_in_a_row + 1 if result is Result.FAILED else 0

    def _conclude_with(self, outcome: Outcome) -> None:
        self.outcomes[outcome.digest] = outcome
        self._unrecorded.append(outcome)


def _whole(images: list[Image], digests: Sequence[str]) -> list[Image]:
    """The same images. Raises Unintelligible if one is left out: only `ImageNotFound` says that it is gone."""
    if {image.digest for image in images} != set(digests):
        raise Unintelligible("DescribeImages: the answer leaves out an image without saying that it is gone")
    return images


class _Answer:
    """What the answer to a deletion says of one image."""

    def __init__(self, ids: set[ImageId]) -> None:
        self._unanswered = ids
        self.gone_tags: set[str] = set()
        self.moved = False
        self.refusal: tuple[str, str] | None = None

    @property
    def silent(self) -> bool:
        return bool(self._unanswered)

    def gone(self, image_id: ImageId) -> None:
        self._unanswered.discard(image_id)
        if image_id.tag is not None:
            self.gone_tags.add(image_id.tag)

    def refused(self, image_id: ImageId, code: str, reason: str) -> None:
        self._unanswered.discard(image_id)
        if code == _GONE:
            self.gone(image_id)
        elif code == _MOVED:
            self.moved = True
        else:
            self.refusal = (code, reason)


def _by_digest(ids: list[ImageId], deletion: Deletion) -> dict[str, _Answer]:
    sent: dict[str, set[ImageId]] = {}
    for image_id in ids:
        sent.setdefault(image_id.digest, set()).add(image_id)
    answers = {digest: _Answer(of_digest) for digest, of_digest in sent.items()}
    for image_id in deletion.gone:
        if image_id.digest in answers:
            answers[image_id.digest].gone(image_id)
    for refusal in deletion.refused:
        if refusal.id.digest in answers:
            answers[refusal.id.digest].refused(refusal.id, refusal.code, refusal.reason)
    return answers


def _listed(tags: Sequence[str] | set[str]) -> str:
    return f"[{', '.join(sorted(tags))}]"
