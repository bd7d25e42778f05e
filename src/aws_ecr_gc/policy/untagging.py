"""Plans that remove tags: rules match and keep every tag for itself, and no image ever goes."""

from array import array
from collections import Counter
from collections.abc import Container, Iterator, Sequence

from msgspec.structs import replace

from aws_ecr_gc import globs
from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, active_in, newest_first
from aws_ecr_gc.plan import Action, Decision, Plan, Reason, Step, Verdict
from aws_ecr_gc.policy.decisions import MadeOut
from aws_ecr_gc.policy.keeping import Vote, vote
from aws_ecr_gc.policy.matching import Sweep, signed_by
from aws_ecr_gc.policy.protection import saved_with_all_tags
from aws_ecr_gc.policy.rules import Policy
from aws_ecr_gc.usage import Use

_ALONE = {
    Status.ARCHIVED: (Reason("archived", "archived images are left alone"),),
    Status.ACTIVATING: (Reason("activating", "it is being restored from the archive"),),
}
_UNKNOWN_KIND = (Reason("unknown-media-type", "its media type is not known"),)
_NO_TAG = (Reason("no-tag", "it has no tag to remove"),)
_UNMATCHED = "no rule matches it"
_LAST = "the last tag of an image is never removed"


def plan_untagging(inventory: Inventory, policy: Policy, now: float, uses: Sequence[Use] = ()) -> Plan:
    """Decide about every tag of an inventory; `now` is in epoch seconds. Every image stays, with one tag at least."""
    verdicts = TagVerdicts(inventory, policy, now, uses)
    return Plan(
        inventory.repository,
        inventory.taken_at,
        active=active_in(inventory),
        size=0,
        decisions=MadeOut(verdicts),
        steps=tuple(verdicts.steps()),
        action=Action.UNTAG,
    )


class TagVerdicts:
    """Which tags go: those that a rule matches, that none keeps, and that nothing protects.

    `images` are newest first, with their tags by name; tags are numbered in this order, and count in it. Of an image
    whose every tag would go, the first stays. `numbers` are those of the tags of each image, `of_tag` is the image of
    each tag, `removed` are those that go. `votes` are for each rule one for each of its streams, over these numbers.
    """

    def __init__(self, inventory: Inventory, policy: Policy, now: float, uses: Sequence[Use] = ()) -> None:
        self.images = list(map(_in_order, newest_first(inventory.images.values())))
        self.tags = [tag for image in self.images for tag in image.tags]
        owners = array("I", [at for at, image in enumerate(self.images) for _ in image.tags])
        self.of_tag = [self.images[at] for at in owners]
        self.numbers = list(self._numbers())
        saved = saved_with_all_tags(policy, self.images, inventory, now, uses)
        self._protected: set[int] = set()
        if policy.protect_tags:
            fits = globs.matcher(policy.protect_tags)
            self._protected = {at for at, tag in enumerate(self.tags) if fits(tag)}
        self._saved = {self.images[at].digest: reasons for at, reasons in saved.items()}
        sweep = Sweep(self.images, policy, now)
        self.votes: list[list[Vote]] = []
        matched: set[int] = set()
        for rule in policy.rules:
            hits = [at for at in sweep.tags_of(rule) if _is_open(self.of_tag[at])]
            matched.update(hits)
            streams = sweep.streams_of(rule, hits, range(len(self.tags)))
            self.votes.append([vote(rule, each, each.members, self.of_tag, now) for each in streams])
        self._matched = matched
        kept = {at for votes in self.votes for each in votes for at in each.kept()}
        loose = matched - kept - self._protected
        self.removed, self._last = self._without_last({at for at in loose if self.of_tag[at].digest not in self._saved})

    def _without_last(self, loose: set[int]) -> tuple[set[int], set[int]]:
        """Those that go, and of each image that would be left without tags the one that stays."""
        last = {numbers[0] for numbers in self.numbers if numbers and all(at in loose for at in numbers)}
        return loose - last, last

    def _numbers(self) -> Iterator[range]:
        """The numbers of the tags of every image."""
        start = 0
        for image in self.images:
            yield range(start, start + len(image.tags))
            start += len(image.tags)

    def steps(self) -> Iterator[Step]:
        """One for each image that loses a tag, newest first, but those to which nothing refers before all others.

        Should ECR take the first image whole for its tag, it may sweep what refers to it before that is put back.
        """
        subjects = {image.subject for image in self.images}
        subjects.update(signed_by(tag, image) for image, tag in zip(self.of_tag, self.tags, strict=True))
        both = zip(self.images, self.numbers, strict=True)
        for image, numbers in sorted(both, key=lambda each: each[0].digest in subjects):
            going = tuple(self.tags[at] for at in numbers if at in self.removed)
            if going:
                yield Step(
                    action=Action.UNTAG,
                    digest=image.digest,
                    tags=image.tags,
                    status=image.status,
                    pushed_at=image.pushed_at,
                    size=0,
                    after=(),
                    wave=0,
                    pulled_at=image.pulled_at,
                    untag=going,
                    archived_at=image.archived_at,
                    activated_at=image.activated_at,
                )

    def beyond_rules(self) -> Iterator[Decision]:
        """Those of images that no rule may look at."""
        alone = {reasons[0].rule for reasons in (*_ALONE.values(), _UNKNOWN_KIND)}
        return (each for each in self.decisions() if each.reasons[0].rule in alone)

    def decisions(self) -> Iterator[Decision]:
        """Every image stays; the reasons say through which tag they act, the tags that go first."""
        said: dict[int, list[Reason]] = {}
        for votes in self.votes:
            for each in votes:
                for at, keeps, reason in each.reasons():
                    if keeps is not (at in self.removed):
                        said.setdefault(at, []).append(replace(reason, via=self.tags[at]))
        for image, numbers in zip(self.images, self.numbers, strict=True):
            yield Decision(image, Verdict.RETAINED, tuple(self._reasons(image, numbers, said)))

    def staying(self) -> tuple[Counter[str], Iterator[Decision]]:
        """All of them: tags are few enough."""
        return Counter(), self.decisions()

    def decisions_on(self, digests: Container[str]) -> Iterator[Decision]:
        """The decisions on some images."""
        return (each for each in self.decisions() if each.image.digest in digests)

    def _reasons(self, image: Image, numbers: range, said: dict[int, list[Reason]]) -> Iterator[Reason]:
        alone = _ALONE.get(image.status, ()) or (() if image.media_type in KNOWN_TYPES else _UNKNOWN_KIND)
        if alone or not numbers:
            yield from alone or _NO_TAG
            return
        for at in numbers:
            if at in self.removed:
                yield from said[at]
        yield from self._saved.get(image.digest, ())
        for at in numbers:
            if at in self._protected:
                yield Reason("protected-tag", "a protected tag", self.tags[at])
            if at in self._last:
                yield Reason("last-tag", _LAST, self.tags[at])
            elif at not in self._matched:
                yield Reason("unmatched-tag", _UNMATCHED, self.tags[at])
            elif at not in self.removed:
                yield from said.get(at, ())

    def __len__(self) -> int:
        return len(self.images)


def _in_order(image: Image) -> Image:
    """The image with its tags by name; nearly all have one or none."""
    return image if len(image.tags) < 2 else replace(image, tags=tuple(sorted(image.tags)))


def _is_open(image: Image) -> bool:
    return image.status is Status.ACTIVE and image.media_type in KNOWN_TYPES
