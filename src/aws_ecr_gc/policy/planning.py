"""make_plan: the function that decides about every image."""

from collections.abc import Iterator, Mapping, Sequence

from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, newest_first
from aws_ecr_gc.plan import Decision, Leftover, Plan, Reason, Verdict
from aws_ecr_gc.policy.counting import Places, Standing
from aws_ecr_gc.policy.relations import Relations
from aws_ecr_gc.policy.rules import Policy
from aws_ecr_gc.policy.steps import steps_for

_ARCHIVED = (Reason("archived", "archived images are left alone"),)
_ACTIVATING = (Reason("activating", "it is being restored from the archive"),)
_UNREAD_INDEX = (Reason("unread-archived-index", "an archived index can't be read; this may be one of its children"),)
_UNKNOWN_KIND = (Reason("unknown-media-type", "its media type is not known"),)
_NO_UNTAGGED_RULE = (Reason("no-untagged-rule", "untagged images are not to be deleted"),)
_YOUNG = (Reason("grace", "untagged, and so young that what it belongs to may still be under way"),)
_ENTANGLED = (Reason("circle", "an index and a subject that wait for one another: neither can go first"),)
_UNTAGGED = Reason("delete-untagged", "untagged, and nothing that stays needs it")
_SUBJECT_GONE = Reason("delete-untagged", "a referrer whose subject is gone")
_UNLISTED = "it has a tag that no --keep lists"
_HELD = {"child-of-index": "an index that stays lists it", "referrer-of-subject": "its subject stays"}


def make_plan(inventory: Inventory, policy: Policy, now: float, leftovers: Sequence[Leftover] = ()) -> Plan:
    """Decide about every image of an inventory; `now` is in epoch seconds.

    Keeps are united: an image is collected only if nothing retains it and nothing retained needs it. Raises
    ValueError if something would be collected while the children of an active index are unknown: see
    `indexes_to_read`.
    """
    verdicts = _Verdicts(inventory, policy, now, leftovers)
    if verdicts.collected and _unread_indexes(inventory):
        raise ValueError("a plan that collects images needs the children of every active index")
    return Plan(
        inventory.repository,
        inventory.taken_at,
        decisions=tuple(verdicts.decisions()),
        steps=steps_for(verdicts.collected, inventory, verdicts.relations),
    )


def indexes_to_read(inventory: Inventory, policy: Policy, now: float, leftovers: Sequence[Leftover] = ()) -> list[str]:
    """The active indexes whose manifests a plan needs first; none where nothing would be collected anyway.

    Knowing more children adds to what is held, and adds to what is collected only below an index that is collected.
    So an inventory that loses nothing while no index has children loses nothing when they are known.
    """
    unread = _unread_indexes(inventory)
    if unread and _Verdicts(inventory, policy, now, leftovers).collected:
        return unread
    return []


def _unread_indexes(inventory: Inventory) -> list[str]:
    return [
        image.digest for image in inventory.images.values() if image.children is None and image.status is Status.ACTIVE
    ]


class _Verdicts:
    """Who stays, who is held, who goes. An image is loose if nothing of its own retains it.

    A tagged child contends for a place among the newest N only once its last index is collected; until then it stays.
    Its place may push out another index, and so on. More collected indexes make more contenders and fewer holders, so
    what is collected only grows from round to round; where that ends, a second run finds nothing more to do.
    """

    def __init__(self, inventory: Inventory, policy: Policy, now: float, leftovers: Sequence[Leftover]) -> None:
        self._policy = policy
        self._young_from = now - policy.grace
        self._leftovers = {leftover.digest: leftover for leftover in leftovers}
        self._images: Mapping[str, Image] = inventory.images
        self._has_unread_archived_index = any(
            image.children is None and image.status is not Status.ACTIVE for image in inventory.images.values()
        )
        self.relations = Relations(inventory)
        self._places = Places(newest_first(inventory.images.values()), policy.keep)
        self.collected: set[str] = set()
        newly_collected = self._round()
        while self._frees_contenders(newly_collected):
            newly_collected = self._round()

    def _round(self) -> set[str]:
        """Decide once more about all that is not collected yet; what is collected now."""
        standings = self._places.decided_by_rules(self._contends)
        loose = {standing.image.digest for standing in standings if not self._is_retained(standing)}
        self._entangled = self.relations.entangled_among(loose)
        loose -= self._entangled
        self._held = self.relations.held_among(loose)
        newly_collected = loose - self._held.keys() - self.collected
        self.collected |= newly_collected
        return newly_collected

    def _frees_contenders(self, newly_collected: set[str]) -> bool:
        """Whether a tagged image lost its index or its subject, and may contend from now on."""
        return any(
            self._images[follower].tags
            for digest in newly_collected
            for follower in (*self.relations.children.get(digest, ()), *self.relations.referrers.get(digest, ()))
        )

    def _contends(self, image: Image, unlisted: str | None) -> bool:
        """Whether a tagged image takes a place among the newest N.

        A referrer does so without its subject: where there is none, or where it goes and an unlisted tag stays.
        """
        if image.status is not Status.ACTIVE or self._standing_parent(image) is not None:
            return False
        if image.subject is None:
            return True
        if image.subject in self._images:
            return unlisted is not None and image.subject in self.collected
        return unlisted is not None or self._left_over_from(image) is None

    def _standing_parent(self, image: Image) -> str | None:
        """An index that lists the image and, as far as is known, is not collected."""
        parents = self.relations.parents.get(image.digest, ())
        return next((parent for parent in parents if parent not in self.collected), None)

    def _is_retained(self, standing: Standing) -> bool:
        image = standing.image
        if standing.unlisted is not None or self._left_alone(image):
            return True
        if image.tags and self.relations.subject_of(image) is None and not self._left_over_from(image):
            return self._places.won(standing) or self._standing_parent(image) is not None
        return bool(self._retained_untagged(image))

    def _left_alone(self, image: Image) -> tuple[Reason, ...]:
        if image.status is Status.ACTIVE:
            return () if image.media_type in KNOWN_TYPES else _UNKNOWN_KIND
        return _ARCHIVED if image.status is Status.ARCHIVED else _ACTIVATING

    def _retained_untagged(self, image: Image) -> tuple[Reason, ...]:
        """Why an untagged image, or a tagged one that follows its subject, stays whatever needs it."""
        if self._has_unread_archived_index and not image.tags:
            return _UNREAD_INDEX
        if self.relations.prerequisites_of(image) or self._left_over_from(image):
            return ()
        if not self._policy.delete_untagged:
            return _NO_UNTAGGED_RULE
        if self._policy.grace and image.pushed_at > self._young_from:
            return _YOUNG
        return ()

    def _left_over_from(self, image: Image) -> Leftover | None:
        """The record of an interrupted run, if it still speaks of this image: untouched, and what it followed gone,
        or going now. Never of a tagged image that is no referrer: its own tags decide.
        """
        leftover = self._leftovers.get(image.digest)
        if leftover is None or leftover.pushed_at != image.pushed_at or (image.tags and image.subject is None):
            return None
        # A run killed between two calls may have removed some of its tags, but neither all of them nor added one.
        if bool(image.tags) != bool(leftover.tags) or not set(image.tags) <= set(leftover.tags):
            return None
        still_there = any(digest in self._images and digest not in self.collected for digest in leftover.after)
        return None if still_there else leftover

    def decisions(self) -> Iterator[Decision]:
        """The decision on every image, newest first. Nobody contends anew after the last round: its places hold."""
        retained, collected, held = Verdict.RETAINED, self.collected, self._held
        for standing in self._places.standings(self._contends):
            image = standing.image
            if image.digest in collected:
                yield Decision(image, Verdict.COLLECTED, tuple(self._why_collected(standing)))
            elif image.digest not in held and (reasons := self._own_reasons(standing)):
                yield Decision(image, retained, reasons)
            else:
                yield Decision(image, Verdict.HELD, (self._why_held(image),))

    def _why_held(self, image: Image) -> Reason:
        """Through what something that stays holds the image; a tagged child only by an index of its own."""
        rule, holder = self._held.get(image.digest) or ("child-of-index", self._standing_parent(image))
        return Reason(rule, _HELD[rule], holder)

    def _own_reasons(self, standing: Standing) -> tuple[Reason, ...]:
        image = standing.image
        if reasons := self._left_alone(image):
            return reasons
        won = tuple(self._places.reasons(standing, won=True)) if standing.places else ()
        if standing.unlisted is not None:
            return (*won, Reason("unlisted-tag", _UNLISTED, standing.unlisted))
        if image.digest in self._entangled:
            return _ENTANGLED
        return won or self._retained_untagged(image)

    def _why_collected(self, standing: Standing) -> Iterator[Reason]:
        image = standing.image
        yield from self._places.reasons(standing, won=False)
        for parent in self.relations.parents.get(image.digest, ()):
            yield Reason("goes-with-index", "the last index that lists it goes", parent)
        subject = self.relations.subject_of(image)
        if subject is not None:
            yield Reason("goes-with-subject", "its subject goes", subject)
        if standing.places or self.relations.prerequisites_of(image):
            return
        leftover = self._left_over_from(image)
        if leftover is not None:
            yield Reason("left-over", "an interrupted run deleted what it went with", leftover.after[0])
        else:
            yield _UNTAGGED if image.subject is None else _SUBJECT_GONE
