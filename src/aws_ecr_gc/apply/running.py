"""The loop over the steps of a plan: looks, vetoes, calls, outcomes."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from aws_ecr_gc.apply import archiving
from aws_ecr_gc.apply.answers import by_digest
from aws_ecr_gc.apply.batches import batches, of_ids
from aws_ecr_gc.apply.expecting import Expectations
from aws_ecr_gc.apply.looking import listed, present
from aws_ecr_gc.apply.manifests import Manifests
from aws_ecr_gc.apply.rescue import bring_back
from aws_ecr_gc.apply.terms import (
    CHANGED,
    IN_USE,
    NOT_BACK,
    PUT_BACK,
    STILL_NEEDED,
    TAKEN_WHOLE,
    TAKES_WHOLE,
    UNCONFIRMED,
    UNREAD,
    Applied,
    Earlier,
    Manifest,
    Terms,
    Veto,
)
from aws_ecr_gc.errors import Error, GuardStopped, Interrupted, JournalLost
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.manifest import matches
from aws_ecr_gc.plan import Action, Outcome, Plan, Result, Step
from aws_ecr_gc.ports import BATCH, Answer, ImageId, Recorder, RepositoryPort

_TRIED_AGAIN = {"ImageReferencedByManifestList", archiving.NOT_ARCHIVABLE}
_LOOKS = 3
_RESTORE = "see aws-ecr-gc restore"
_MAY_BE_LOST = "after an interrupted try to remove a tag ECR had taken the whole image, or others had deleted it"
_PLAIN = Terms()
_FIRST_TRY = Earlier()


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
    run = _Run(
        plan, port, stop, veto or (lambda: nothing), progress=progress, terms=terms, earlier=earlier, recorder=recorder
    )
    steps = [step for step in plan.steps if step.digest not in run.outcomes]
    run.record_outcomes()
    run.put_back_lost(steps)
    steps = [step for step in steps if step.digest not in run.outcomes and not terms.only_puts_back]
    if terms.canary is not None:
        run.carry_out(steps[: terms.canary])
        run.carry_out(run.take_deferred(), last_try=True)
        run.judge_canary(terms.canary)
        steps = steps[terms.canary :]
    run.carry_out(steps)
    run.carry_out(run.take_deferred(), last_try=True)
    run.judge_failures()
    return Applied(run.outcomes, run.stopped_by, run.interrupted, run.called)


def _is_archived(step: Step, image: Image) -> bool:
    """Whether that is what the step is for."""
    return step.action is Action.ARCHIVE and image.status is Status.ARCHIVED


class _Run:
    """The state of one apply.

    `_removed_by_tag` are the subjects that are gone for all that the answers to their tags say. `_pairs_take_tags` is
    whether ECR was seen to take no more than the tag for a pair of digest and tag.
    """

    def __init__(
        self,
        plan: Plan,
        port: RepositoryPort,
        stop: Callable[[], bool],
        veto: Veto,
        *,
        progress: Callable[[int], None],
        terms: Terms,
        earlier: Earlier,
        recorder: Recorder | None,
    ) -> None:
        self._port = port
        self._recorder = recorder
        self._seen: dict[str, Image] = {}
        self._manifests = Manifests(port, recorder)
        self._terms = terms
        self._earlier = earlier
        self._pairs_take_tags = False
        self._expected = Expectations(terms, earlier)
        self._failures_in_a_row = 0
        self._stop = stop
        self._veto = veto
        self._vetoed: Mapping[str, str] = {}
        self._progress = progress
        self._deferred: dict[str, Step] = {}
        self._archived = {step.digest for step in plan.steps if step.status is Status.ARCHIVED}
        self._subjects = {subject for step in plan.steps for subject in step.subjects}
        self._removed_by_tag = {
            step.digest
            for step in plan.steps
            if step.digest in self._subjects
            and step.action is Action.DELETE
            and step.digest in earlier.outcomes
            and earlier.outcomes[step.digest].result is Result.DONE
        }
        self._vanished: set[str] = set()
        self.outcomes = {
            digest: outcome
            for digest, outcome in earlier.outcomes.items()
            if outcome.result is not Result.FAILED or outcome.code == TAKEN_WHOLE
        }
        # What is decided before the first call must not be decided otherwise by whoever goes on with the journal.
        self._unrecorded = [outcome for outcome in self.outcomes.values() if outcome.result is Result.SKIPPED]
        takes_whole = any(outcome.code == TAKEN_WHOLE for outcome in self.outcomes.values())
        self.stopped_by: Error | None = GuardStopped(TAKES_WHOLE) if takes_whole else None
        self.interrupted = False
        self.called = False

    def take_deferred(self) -> list[Step]:
        deferred, self._deferred = list(self._deferred.values()), {}
        return deferred

    def put_back_lost(self, steps: Sequence[Step]) -> None:
        """What may have gone with a tag that an earlier try removed comes back first of all, whoever objects to its
        step, and whatever was found out since.
        """
        lost = [step for step in steps if step.action is Action.UNTAG and step.digest in self._earlier.may_be_lost]
        for start in range(0, len(lost), BATCH):
            if self._stop():
                break
            batch = lost[start : start + BATCH]
            try:
                now = self._look_after(batch)
            except Error as error:
                self.stopped_by = self.stopped_by or error
                break
            for step in batch:
                self._put_back(step, now.get(step.digest))
        self.record_outcomes()

    def carry_out(self, steps: Sequence[Step], *, last_try: bool = False) -> None:
        for batch in batches(steps):
            if not self._goes_on():
                return
            unfinished = self._unblocked(self._unvetoed(batch))
            while unfinished and self._goes_on():
                unfinished = self._attempt(unfinished, last_try=last_try)
                self._progress(len(self.outcomes))
            self.record_outcomes()

    def record_outcomes(self) -> None:
        """Put on record what was concluded since the last time."""
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
        """End the work if one of the first images failed."""
        failed = sum(outcome.result is Result.FAILED for outcome in self.outcomes.values())
        if failed and self.stopped_by is None:
            self.stopped_by = GuardStopped(
                f"the guard canary: {failed} of the first {number} images failed, so no more are tried; "
                "mend what failed, or raise guards.canary"
            )

    def judge_failures(self) -> None:
        """End the work if too many images in a row failed."""
        bound = self._terms.max_failures
        if bound is not None and self._failures_in_a_row >= bound and self.stopped_by is None:
            self.stopped_by = GuardStopped(
                f"the guard max_failures: {self._failures_in_a_row} images in a row failed, so no more are tried; "
                "mend what failed, or raise guards.max_failures"
            )

    def _goes_on(self) -> bool:
        self.judge_failures()
        self.interrupted = self.interrupted or self._stop()
        return self.stopped_by is None and not self.interrupted

    def _unblocked(self, batch: list[Step]) -> list[Step]:
        try:
            self._make_sure_of_subjects(batch)
            active = self._active_again(batch)
        except Error as error:
            self._fail(batch, error)
            return []
        return [step for step in batch if self._may_go(step, active)]

    def _active_again(self, batch: list[Step]) -> dict[str, Status]:
        """What needs images that are to be archived, and came out of the archive since: by digest its status."""
        archiving_steps = [step for step in batch if step.action is Action.ARCHIVE]
        needing = dict.fromkeys(digest for step in archiving_steps for digest in (*step.after, *step.put_away))
        digests = list(needing)
        found = [
            image
            for start in range(0, len(digests), BATCH)
            for image in present(self._port, digests[start : start + BATCH])
        ]
        return {image.digest: image.status for image in found if image.status is not Status.ARCHIVED}

    def _make_sure_of_subjects(self, batch: list[Step]) -> None:
        """A tag that a subject got between the look and its deletion keeps it alive: then its referrers stay too.

        Only BatchGetImage answers for each digest by itself. It moves the pull time of what is still there, and gives
        nothing of what was in the archive: such subjects are looked at.
        """
        subjects = dict.fromkeys(subject for step in batch for subject in step.subjects)
        doubtful = [digest for digest in subjects if digest in self._removed_by_tag]
        self._removed_by_tag.difference_update(doubtful)
        for start in range(0, len(doubtful), BATCH):
            some = doubtful[start : start + BATCH]
            archived = [digest for digest in some if digest in self._archived]
            there = {image.digest for image in present(self._port, archived)}
            if len(archived) < len(some):
                there.update(self._port.manifests([digest for digest in some if digest not in self._archived]))
            for digest in there:
                detail = "it got another tag while those of the plan were removed"
                self._conclude_with(Outcome(digest, Result.SKIPPED, CHANGED, detail))

    def _may_go(self, step: Step, active: Mapping[str, Status]) -> bool:
        """Whether all that needs the image is gone, or in the archive."""
        for digest in step.after:
            if digest in self._deferred:
                self._deferred[step.digest] = step
                return False
            done = digest in self.outcomes and self.outcomes[digest].result is Result.DONE
            if not done and digest not in self._vanished:
                self._end(step, Result.SKIPPED, STILL_NEEDED, f"{digest} is still there")
                return False
        for digest in (*step.after, *step.put_away):
            if digest in active:
                self._end(step, Result.SKIPPED, STILL_NEEDED, f"{digest} is {active[digest]} again")
                return False
        return True

    def _attempt(self, steps: list[Step], *, last_try: bool) -> list[Step]:
        """One look and one call, or several that archive. Returns the steps that need another: an image with more tags
        than fit, and all but the first as long as it is not known what ECR takes for a pair.
        """
        try:
            steps = self._with_manifests(steps)
            self._port.turn()
            ready = self._ready(steps)
            if not ready or not self._goes_on():
                return []
            if ready[0].action is Action.UNTAG:
                return self._untag(ready)
            ids = [each for step in ready for each in self._expected.ids(step)][:BATCH]
            answer, asked = self._call(ready[0].action, ids)
            return self._conclude(of_ids(ready, asked), asked, answer, last_try=last_try)
        except JournalLost as error:
            self.stopped_by = error  # nothing was done: what could not be put on record was not tried
            return []
        except Error as error:
            self._fail(steps, error)
            return []

    def _call(self, action: Action, ids: list[ImageId]) -> tuple[Answer, Sequence[ImageId]]:
        """The call, between its records: the answer, and the ids that were asked for.

        Raises JournalLost before it, never after it: then its answer still counts.
        """
        number = None
        if self._recorder is not None:
            seen = [self._seen[digest] for digest in {each.digest: None for each in ids}]
            number = self._recorder.about(action, ids, seen, self._manifests.at_hand)
        self.called = True
        try:
            if action is Action.ARCHIVE:
                answer, asked, stopped_by = archiving.archive(self._port, ids, self._stop)
                self.stopped_by = stopped_by
                self.interrupted = stopped_by is None and len(asked) < len(ids)
            else:
                answer, asked = self._port.delete(ids), ids
        except Error as error:
            self._record_answer(number, error)
            raise
        self._record_answer(number, answer)
        return answer, asked

    def _untag(self, ready: list[Step]) -> list[Step]:
        """One call that removes tags, and a look whether the images are still there. Returns what needs another."""
        ready = self._with_way_back(ready)
        if not ready:
            return []
        ids = [each for step in ready for each in self._expected.ids(step)][: BATCH if self._pairs_take_tags else 1]
        asked = of_ids(ready, ids)
        rest = ready[len(asked) :]
        media_types = {digest: image.media_type for digest, image in self._seen.items()}
        try:
            answer, _ = self._call(Action.UNTAG, ids)
        except JournalLost:
            raise
        except Error as error:
            self._bring_back_lost(asked, ids, media_types)
            self._fail([*asked, *rest], error)
            return []
        there = self._bring_back_lost(asked, ids, media_types)
        self._pairs_take_tags = self._pairs_take_tags or (bool(there) and ids[0] in answer.done)
        return [*self._conclude(there, ids, answer, last_try=True), *rest]

    def _with_way_back(self, steps: list[Step]) -> list[Step]:
        """Those whose manifests are at hand, and are what their digests say."""
        found = []
        for step in steps:
            if matches(step.digest, self._manifests.at_hand.get(step.digest, b"")):
                found.append(step)
            else:
                detail = "its manifest can't be read, so it could not be put back if it went with its tag"
                self._end(step, Result.FAILED, UNREAD, detail)
        return found

    def _bring_back_lost(
        self, asked: list[Step], ids: Sequence[ImageId], media_types: Mapping[str, str | None]
    ) -> list[Step]:
        """Put back what went with its tags; those that are still there."""
        now = self._look_after(asked)
        for step in asked:
            if step.digest not in now:
                manifest = Manifest(self._manifests.at_hand[step.digest], media_types[step.digest])
                removed = {each.tag for each in ids if each.digest == step.digest and each.tag is not None}
                self._bring_back(step, manifest, removed)
        return [step for step in asked if step.digest in now]

    def _look_after(self, asked: Sequence[Step]) -> dict[str, Image]:
        """What is still there of images that tags were removed of."""
        try:
            return self._look(asked)
        except Error as error:
            for step in asked:
                detail = (
                    f"whether it went with its tag is not known: {error}; see aws-ecr-gc apply --resume, and restore"
                )
                self._end(step, Result.FAILED, UNCONFIRMED, detail)
            raise

    def _bring_back(self, step: Step, manifest: Manifest, removed: AbstractSet[str]) -> None:
        """Put back an image that went with tags that were removed. Where ECR took it whole, no more are."""
        others = [tag for tag in self._expected.tags(step) if tag not in removed]
        tags, digest = self._port.tags(), step.digest
        try:
            back = bring_back(
                tags, digest, manifest, others=others, removed=removed, is_there=False, stop=lambda: False
            )
        except Error as error:
            detail = f"it went with its tag, and could not be put back: {error}; {_RESTORE}"
            self._end(step, Result.FAILED, NOT_BACK, detail)
            return
        pushed = f"it is back, pushed anew, with {listed(back.tags)}"
        if back.taken_whole:
            detail = f"ECR took the whole image for one of its tags; {pushed}"
            self._end(step, Result.FAILED, TAKEN_WHOLE, detail)
            self.stopped_by = self.stopped_by or GuardStopped(TAKES_WHOLE)
        else:
            detail = f"others took its other tags in that instant, and it went with its last; {pushed}"
            self._end(step, Result.SKIPPED, CHANGED, detail)

    def _with_manifests(self, steps: list[Step]) -> list[Step]:
        """Read the manifests that are to be on record, before the last look: nothing comes between that and the call.

        Reading counts as a pull, so whether others pulled since the plan is looked at before.
        """
        if self._terms.pulled_since is not None and self._manifests.wanted(steps):
            steps = self._unchanged(steps)
        self._expected.were_read(self._manifests.read(steps))
        return steps

    def _record_answer(self, number: int | None, answer: Answer | Error) -> None:
        if self._recorder is not None and number is not None:
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

    def _unchanged(self, steps: list[Step]) -> list[Step]:
        """Those that are still as the plan saw them. One that is gone is done, and one to archive that is archived."""
        now = self._look(steps)
        ready = []
        for step in steps:
            image = now.get(step.digest)
            if image is None:
                self._end_vanished(step)
            elif _is_archived(step, image):
                self._end(step, Result.DONE)
            elif change := self._expected.change(step, image):
                self._end(step, Result.SKIPPED, CHANGED, change)
            elif not self._expected.ids(step):  # an earlier try removed all the tags, and did not live to know
                self._end(step, Result.DONE)
            else:
                ready.append(step)
        return ready

    def _end_vanished(self, step: Step) -> None:
        """An image that is gone is done where it was to be deleted; others deleted it where it was not."""
        self._vanished.add(step.digest)
        if step.action is Action.DELETE:
            self._end(step, Result.DONE)
        else:
            self._end(step, Result.SKIPPED, CHANGED, "deleted meanwhile")

    def _put_back(self, step: Step, image: Image | None) -> None:
        """Put an image back, or what is missing of it, that may have gone with a tag that an earlier try removed right
        before it ended. If there is anything, that is its end: others may have deleted it as well.
        """
        manifest = self._way_back_of(step, image)
        if manifest is None:
            return
        removed = self._earlier.attempted[step.digest]
        others = [tag for tag in self._expected.tags(step) if tag not in removed]
        try:
            back = bring_back(
                self._port.tags(),
                step.digest,
                manifest,
                others=others,
                removed=removed,
                is_there=image is not None,
                stop=lambda: False,
            )
        except Error as error:
            self._end(step, Result.FAILED, NOT_BACK, f"{_MAY_BE_LOST}, and could not be put back: {error}; {_RESTORE}")
            return
        if image is None or back.tags:
            detail = f"{_MAY_BE_LOST}; it is back, pushed anew, with {listed(back.tags)}"
            self._end(step, Result.FAILED, PUT_BACK, detail)

    def _way_back_of(self, step: Step, image: Image | None) -> Manifest | None:
        """The manifest of an image that may have gone with a tag that an earlier try removed, right before it died.

        Or before it had put back all of it: then the image is pushed anew, and lacks tags that nobody was to remove.
        """
        if image is not None:
            kept = set(self._expected.tags(step)) - self._earlier.attempted[step.digest]
            if image.pushed_at == step.pushed_at or kept <= set(image.tags):
                return None
        return self._earlier.manifests.get(step.digest)

    def _look(self, steps: Sequence[Step]) -> dict[str, Image]:
        self._seen = {image.digest: image for image in present(self._port, [step.digest for step in steps])}
        return self._seen

    def _conclude(self, steps: list[Step], ids: Sequence[ImageId], answer: Answer, *, last_try: bool) -> list[Step]:
        """Read the answer, image by image. What it leaves open is looked at again."""
        answered = by_digest(ids, answer)
        unfinished, open_steps = [], []
        for step in steps:
            of_it = answered[step.digest]
            refusal = of_it.refusal
            self._expected.removed(step, of_it.gone_tags)
            if refusal is not None and refusal[0] in _TRIED_AGAIN and not last_try:
                self._deferred[step.digest] = step
            elif refusal is not None:
                self._end(step, Result.FAILED, *refusal)
            elif of_it.moved or of_it.silent:
                open_steps.append((step, of_it.moved))
            elif step.tags and step.action is not Action.ARCHIVE and self._expected.ids(step):
                unfinished.append(step)
            else:
                self._end(step, Result.DONE)
                if step.tags and step.action is Action.DELETE and step.digest in self._subjects:
                    self._removed_by_tag.add(step.digest)
        if open_steps:
            self._settle(open_steps)
        return unfinished

    def _settle(self, open_steps: list[tuple[Step, bool]]) -> None:
        """A tag was moved away, or the answer does not mention the image: what is gone is done."""
        now = self._look([step for step, _ in open_steps])
        for step, moved in open_steps:
            if step.digest not in now:
                self._end_vanished(step)
            elif _is_archived(step, now[step.digest]):
                self._end(step, Result.DONE)
            elif moved:
                tags = listed(now[step.digest].tags)
                self._end(step, Result.SKIPPED, CHANGED, f"a tag was moved meanwhile; tagged {tags} now")
            else:
                still = "not archived" if step.action is Action.ARCHIVE else "still there"
                self._end(step, Result.FAILED, UNCONFIRMED, f"ECR's answer does not mention it, and it is {still}")

    def _end(self, step: Step, result: Result, code: str = "", detail: str = "") -> None:
        self._conclude_with(Outcome(step.digest, result, code, detail))
        self._expected.is_through(step)
        self._failures_in_a_row = self._failures_in_a_row + 1 if result is Result.FAILED else 0

    def _conclude_with(self, outcome: Outcome) -> None:
        self.outcomes[outcome.digest] = outcome
        self._unrecorded.append(outcome)
