"""What needs what: an index needs its children, and a subject that stays keeps its referrers.

Children and subjects are followed only where they are in the inventory. A signature that names by its tag what it
signs is a referrer of that.
"""

from collections.abc import Collection, Iterator, Mapping

from aws_ecr_gc.inventory import Image, Inventory


class Relations:
    """The edges of one inventory, by digest. `parents` are the indexes that list an image, whatever their status."""

    def __init__(self, inventory: Inventory, signed: Mapping[str, tuple[str, ...]]) -> None:
        """`signed` holds the digests that the tags of an image name as signed."""
        self._images = inventory.images
        self._signed = signed
        self.parents: dict[str, list[str]] = {}
        self.children: dict[str, list[str]] = {}
        self.referrers: dict[str, list[str]] = {}
        for image in inventory.images.values():
            if image.children:
                for child in dict.fromkeys(image.children):
                    if child in inventory.images:
                        self.parents.setdefault(child, []).append(image.digest)
                        self.children.setdefault(image.digest, []).append(child)
            if image.subject is not None and image.subject in inventory.images:
                self.referrers.setdefault(image.subject, []).append(image.digest)
        for digest, named in signed.items():
            for subject in named:
                if subject in inventory.images and subject != inventory.images[digest].subject:
                    self.referrers.setdefault(subject, []).append(digest)

    def subjects_of(self, image: Image) -> tuple[str, ...]:
        """The digests of what the image refers to, as far as they are in the inventory."""
        named = self._signed.get(image.digest, ())
        if image.subject is None and not named:
            return ()
        stated = dict.fromkeys((*named, image.subject) if image.subject is not None else named)
        return tuple(digest for digest in stated if digest in self._images)

    def gone_subject_of(self, image: Image) -> str | None:
        """What the image refers to though it is not in the inventory."""
        named = (image.subject, *self._signed.get(image.digest, ()))
        return next((digest for digest in named if digest is not None and digest not in self._images), None)

    def is_referrer(self, image: Image) -> bool:
        """Whether the image refers to something, here or gone."""
        return image.subject is not None or image.digest in self._signed

    def prerequisites_of(self, image: Image) -> tuple[str, ...]:
        """What must be gone before the image may go: the indexes that list it, and its subjects."""
        parents = self.parents.get(image.digest, ())
        subjects = self.subjects_of(image)
        return tuple(dict.fromkeys((*parents, *subjects))) if subjects else tuple(parents)

    def held_among(self, loose: Collection[str]) -> dict[str, tuple[str, str]]:
        """Which of the loose images are needed by one that is not loose, directly or through others.

        Digest to (rule that holds it, the digest that holds it).
        """
        waiting = [digest for digest in (*self.children, *self.referrers) if digest not in loose]
        held: dict[str, tuple[str, str]] = {}
        while waiting:
            holder = waiting.pop()
            for dependent, rule in self._dependents_of(holder):
                if dependent in loose and dependent not in held:
                    held[dependent] = (rule, holder)
                    waiting.append(dependent)
        return held

    def entangled_among(self, loose: Collection[str]) -> set[str]:
        """Which of the loose images wait for one another in a circle, or for such a one.

        An index may list what it also names as its subject: no digest forbids that. Nothing in a circle can go first.
        """
        followers = {*self.parents, *(referrer for referrers in self.referrers.values() for referrer in referrers)}
        waiting_for = {
            digest: prerequisites
            for digest in followers
            if digest in loose
            and (prerequisites := {each for each in self.prerequisites_of(self._images[digest]) if each in loose})
        }
        free = [digest for digest in {*self.children, *self.referrers} if digest in loose and digest not in waiting_for]
        while free:
            holder = free.pop()
            for dependent in {dependent for dependent, _ in self._dependents_of(holder)} & waiting_for.keys():
                waiting_for[dependent].discard(holder)
                if not waiting_for[dependent]:
                    del waiting_for[dependent]
                    free.append(dependent)
        return set(waiting_for)

    def _dependents_of(self, digest: str) -> Iterator[tuple[str, str]]:
        for child in self.children.get(digest, ()):
            yield child, "child-of-index"
        for referrer in self.referrers.get(digest, ()):
            yield referrer, "referrer-of-subject"
