"""What each image must still be for its step to hold."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from aws_ecr_gc.apply.looking import listed
from aws_ecr_gc.apply.terms import Earlier, Terms
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.ports import ImageId


class Expectations:
    """The tags that each image must still have: those seen, less those removed. And what else must be as it was."""

    def __init__(self, terms: Terms, earlier: Earlier) -> None:
        self._pulled_since = terms.pulled_since
        self._attempted: Mapping[str, AbstractSet[str]] = earlier.attempted
        self._read = set(earlier.attempted)
        self._tags: dict[str, tuple[str, ...]] = {}
        """Of images that lost some."""

    def tags(self, step: Step) -> tuple[str, ...]:
        """The tags that the image must still have."""
        return self._tags.get(step.digest, step.tags)

    def ids(self, step: Step) -> list[ImageId]:
        """What is still to be asked for."""
        if step.action is Action.ARCHIVE or (step.action is Action.DELETE and not step.tags):
            return [ImageId(step.digest, None)]
        tags = self.tags(step)
        return [ImageId(step.digest, tag) for tag in tags if step.action is Action.DELETE or tag in step.untag]

    def removed(self, step: Step, tags: AbstractSet[str]) -> None:
        """These tags of the image are gone."""
        if tags:
            self._tags[step.digest] = tuple(tag for tag in self.tags(step) if tag not in tags)

    def is_through(self, step: Step) -> None:
        """Let go of what is known of an image: nothing more is done to it."""
        self._tags.pop(step.digest, None)

    def were_read(self, digests: Iterable[str]) -> None:
        """These manifests were read here: later pull times say nothing of others."""
        if self._pulled_since is not None:
            self._read.update(digests)

    def change(self, step: Step, image: Image) -> str | None:
        """What is otherwise than the plan saw it."""
        expected = set(self.tags(step))
        if set(image.tags) != expected and not self._lost_tags_before(step, image, expected):
            return f"tagged {listed(image.tags)} now, {listed(expected)} in the plan"
        if image.status is not step.status:
            return f"{image.status} now, {step.status} in the plan"
        if image.pushed_at != step.pushed_at:
            return "deleted and pushed again meanwhile"
        if (image.archived_at, image.activated_at) != (step.archived_at, step.activated_at):
            return "archived, or taken out of the archive, since the plan"
        since = self._pulled_since
        if since is not None and (image.pulled_at or 0) > since and step.digest not in self._read:
            return "pulled since the plan, and a rule goes by that"
        return None

    def _lost_tags_before(self, step: Step, image: Image, expected: set[str]) -> bool:
        """Whether all that is missing are tags that an earlier try may have removed; then the others are left to do."""
        there = set(image.tags)
        attempted = self._attempted.get(image.digest, frozenset())
        if not there or not there < expected or not expected - there <= attempted:
            return False
        self._tags[step.digest] = tuple(tag for tag in self.tags(step) if tag in there)
        return True
