"""make_plan: the function that decides about every image."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, compress
from operator import attrgetter, itemgetter

from aws_ecr_gc.inventory import KNOWN_TYPES, Image, Inventory, Status, newest_first, unread_indexes
from aws_ecr_gc.plan import Action, Decision, Leftover, Plan, Reason, Verdict
from aws_ecr_gc.policy.decisions import MadeOut
from aws_ecr_gc.policy.keeping import Said, Vote, vote
from aws_ecr_gc.policy.matching import match_all
from aws_ecr_gc.policy.protection import HELD, saved_by
from aws_ecr_gc.policy.relations import Relations
from aws_ecr_gc.policy.rules import Policy
from aws_ecr_gc.policy.steps import steps_for
from aws_ecr_gc.policy.untagging import plan_untagging
from aws_ecr_gc.usage import Use

_ARCHIVED = (Reason("archived", "archived images are left alone"),)
_NOT_TAKEN = (Reason("archived", "no rule about the archive takes it yet"),)
_ACTIVATING = (Reason("activating", "it is being restored from the archive"),)
_UNREAD_INDEX = (Reason("unread-archived-index", "an archived index can't be read; this may be one of its children"),)
_UNKNOWN_KIND = (Reason("unknown-media-type", "its media type is not known"),)
_NO_UNTAGGED_RULE = (Reason("no-untagged-rule", "no rule matches untagged images"),)
_ENTANGLED = (Reason("circle", "an index and a subject that wait for one another: neither can go first"),)
_BEYOND_RULES = {each[0].rule for each in (_ARCHIVED, _ACTIVATING, _UNREAD_INDEX, _UNKNOWN_KIND, _ENTANGLED)}
_UNMATCHED = "it has a tag that no rule matches"


def make_plan(
    inventory: Inventory,
    policy: Policy,
    now: float,
    leftovers: Sequence[Leftover] = (),
    uses: Sequence[Use] = (),
) -> Plan:
    """Decide about every image of an inventory; `now` is in epoch seconds. `uses` are of images of its repository.

    Keeps are united: an image is collected only if nothing retains it and nothing retained needs it. Raises
    ValueError if something would be collected while the children of an active index are unknown: see
    `indexes_to_read`.
    """
    if policy.action is Action.UNTAG:
        return plan_untagging(inventory, policy, now, uses)
    verdicts = Verdicts(inventory, policy, now, leftovers, uses)
    if verdicts.collected and unread_indexes(inventory):
        raise ValueError("a plan that collects images needs the children of every active index")
    going = [image for image in verdicts.images if image.digest in verdicts.collected]
    return Plan(
        inventory.repository,
        inventory.taken_at,
        active=verdicts.active,
        size=sum([image.own_size for image in going]),
        decisions=MadeOut(verdicts),
        steps=steps_for(going, verdicts.collected, verdicts.relations, policy.action),
        action=policy.action,
    )


def indexes_to_read(inventory: Inventory, policy: Policy, now: float, leftovers: Sequence[Leftover] = ()) -> list[str]:
    """The active indexes whose manifests a plan needs first; none where nothing would be collected anyway.

    Knowing more children adds to what is held, and adds to what is collected only below an index that is collected.
    So an inventory that loses nothing while no index has children loses nothing when they are known. What is in use
    only adds to what stays. Removing tags breaks no index.
    """
    unread = unread_indexes(inventory)
    if unread and policy.action is not Action.UNTAG and Verdicts(inventory, policy, now, leftovers).collected:
        return unread
    return []


class Verdicts:
    """Who stays, who is held, who goes. An image is loose if nothing of its own retains it.

    A tagged child contends for a place among the newest N only once its last index is collected; until then it stays.
    Its place may push out another index, and so on. More contenders never retain more of the others, and more
    collected indexes make more contenders and fewer holders: so what is collected only grows from round to round;
    where that ends, a second run finds nothing more to do.

    Archived images are decided by the rules about the archive, and left alone where there are none. They can only be
    deleted: so nothing that is to be archived, and is to be whole when it comes back, loses one of them. Where images
    are archived, what is in the archive already holds no active image back: that follows it there.

    `images` are all images, newest first; columns and positions go by it. `votes` are those of the last round, for
    each rule one for each of its streams; `held` is what loose images are held by: see `Relations.held_among`.
    """

    def __init__(
        self,
        inventory: Inventory,
        policy: Policy,
        now: float,
        leftovers: Sequence[Leftover],
        uses: Sequence[Use] = (),
    ) -> None:
        self._policy = policy
        self._now = now
        self._leftovers = {leftover.digest: leftover for leftover in leftovers}
        self._inventory = inventory.images
        self._put_away = (
            {digest for digest, image in inventory.images.items() if image.status is Status.ARCHIVED}
            if policy.action is Action.ARCHIVE
            else frozenset[str]()
        )
        self.images = newest_first(inventory.images.values())
        self.matches = match_all(self.images, policy, now, self._untouched_leftovers())
        signed = {self.images[at].digest: named for at, named in self.matches.signed.items()}
        self.relations = Relations(inventory, signed)
        self.saved = saved_by(policy, self.images, self.matches, self.relations, now, uses=uses)
        active = Status.ACTIVE
        self._inactive = {at for at, image in enumerate(self.images) if image.status is not active}
        self._unread = {at for at in self._inactive if self.images[at].children is None}
        self._unknown = (
            frozenset[int]()
            if KNOWN_TYPES.issuperset(map(attrgetter("media_type"), self.images))
            else {at for at, image in enumerate(self.images) if image.media_type not in KNOWN_TYPES}
        )
        self._unread_may_go = all(map(self._goes_unread, self._unread))
        self._special = self._find_special()
        self._decide()
        if self._unread_may_go and any(self.images[at].digest not in self.collected for at in self._unread):
            self._unread_may_go = False  # one stays after all, and may list another
            self._decide()

    def _decide(self) -> None:
        """All rounds."""
        self._undecided = self._find_undecided()
        self.votes: list[list[Vote]] = []
        self._aside: set[int] = set()
        self.collected: set[str] = set()
        newly_collected = self._round()
        while self._frees_contenders(newly_collected):
            newly_collected = self._round()

    def _find_special(self) -> set[int]:
        """The positions of what may have to stand aside when rules count: followers, and what is not active."""
        relations, waiting = self.relations, self._leftovers
        followers = {*relations.parents, *(each for some in relations.referrers.values() for each in some), *waiting}
        if not followers:
            return self._inactive
        return self._inactive.union([at for at, image in enumerate(self.images) if image.digest in followers])

    def _goes_unread(self, at: int) -> bool:
        """Whether an archived index may go though it can't be read. If all of them do, none that stays could list
        another; what they list is then decided by the next run.
        """
        image = self.images[at]
        return at in self.matches.archived and at not in self.saved and not self.relations.prerequisites_of(image)

    def _is_doubtful(self, at: int) -> bool:
        """Whether an archived index that can't be read keeps an image from any decision."""
        if not self._unread:
            return False
        return not self._unread_may_go if at in self._unread else not self.images[at].tags

    def _find_undecided(self) -> bytearray:
        """By position, what is up to the rules and to what needs it: managed, known, not saved, active or in the
        archive where rules look into that.
        """
        matches = self.matches
        undecided = bytearray([unmatched is None for unmatched in matches.unmatched])
        by_no_rule = matches.tagless - matches.matched_tagless - self._special
        for at in chain(self.saved, self._unknown, self._doubtful(), self._out_of_reach(), by_no_rule):
            undecided[at] = 0
        return undecided

    def _out_of_reach(self) -> set[int]:
        """The positions of images of a status that no rule is about."""
        if not self._policy.looks_into_archive:
            return self._inactive
        return {at for at in self._inactive if self.images[at].status is not Status.ARCHIVED}

    def _doubtful(self) -> Iterator[int]:
        """The positions of all for which `_is_doubtful` holds."""
        return filter(self._is_doubtful, range(len(self.images))) if self._unread else iter(())

    def _round(self) -> set[str]:
        """Decide once more about all that is not collected yet; what is collected now."""
        self._count()
        kept = bytearray(len(self.images))
        for votes in self.votes:
            for each in votes:
                for at in each.kept():
                    kept[at] = 1
        loose = {
            self.images[at].digest
            for at in compress(range(len(kept)), self._undecided)
            if (not kept[at] if at not in self._special else self._is_loose(at, kept=bool(kept[at])))
        }
        self._entangled = self.relations.entangled_among(loose)
        loose -= self._entangled
        self.held = self._held_among(loose)
        newly_collected = loose - self.held.keys() - self.collected
        self.collected |= newly_collected
        return newly_collected

    def _held_among(self, loose: set[str]) -> dict[str, tuple[str, str]]:
        """What loose images are held by: see `Relations.held_among`."""
        if not self._put_away:
            return self.relations.held_among(loose)
        # What is in the archive is deleted, what is active only archived: even that holds the former.
        held = self._held_in_archive(loose & self._put_away)
        others = self.relations.held_among(loose | self._put_away)
        return {digest: by for digest, by in (others | held).items() if digest in loose}

    def _held_in_archive(self, loose: set[str]) -> dict[str, tuple[str, str]]:
        """The same of what would be deleted from the archive: also by what refers to it and is not deleted with it, for
        ECR may sweep that with its subject.
        """
        referred_to: dict[str, tuple[str, str]] = {}
        while True:
            held = self.relations.held_among(loose - referred_to.keys()) | referred_to
            going = loose - held.keys()
            staying = {
                digest: ("referred-to", referrer)
                for digest in going
                for referrer in self.relations.referrers.get(digest, ())
                if referrer not in going
            }
            if not staying:
                return held
            referred_to |= staying

    def _is_out_of_the_way(self, digest: str) -> bool:
        """Whether what an image waits for is no more in its way: collected, or in the archive where it goes too."""
        return digest in self.collected or digest in self._put_away

    def _count(self) -> None:
        """Let the rules vote about all that contends now; a stream in which nobody is new has voted already."""
        aside = {at for at in self._special if not self._contends(at)}
        back = self._aside - aside
        rules, streams = self._policy.rules, self.matches.streams
        if not self.votes:
            self.votes = [[] for _ in rules]
        for at, (rule, of_rule) in enumerate(zip(rules, streams, strict=True)):
            for number, stream in enumerate(of_rule):
                if len(self.votes[at]) > number and back.isdisjoint(stream.members):
                    continue
                contenders = stream.members
                if aside and not aside.isdisjoint(contenders):
                    contenders = [position for position in contenders if position not in aside]
                self.votes[at][number : number + 1] = [vote(rule, stream, contenders, self.images, self._now)]
        self._aside = aside

    def _contends(self, at: int) -> bool:
        """Whether an image takes part where rules count.

        A follower does so without what it follows: where there is nothing, or where that goes and it stays alone.
        """
        image = self.images[at]
        if image.status is not Status.ACTIVE and at not in self.matches.archived:
            return False
        if self._standing_holder(at) is not None:
            return False
        if self._left_over_from(at) is not None:
            return False
        tagless = at in self.matches.tagless
        if not tagless and image.subject is None:
            return True
        followed = self.relations.prerequisites_of(image) if tagless else self.relations.subjects_of(image)
        if self._undecided[at]:
            return not followed
        return all(map(self._is_out_of_the_way, followed))

    def _standing_holder(self, at: int) -> str | None:
        """What the image waits for, before its own tags count: an index that lists it, or what they name as signed.

        As far as is known, it is not collected.
        """
        image = self.images[at]
        waits_for: Sequence[str] = self.relations.parents.get(image.digest, ())
        if image.subject is None and at in self.matches.signed and at not in self.matches.tagless:
            waits_for = self.relations.prerequisites_of(image)
        return next((digest for digest in waits_for if not self._is_out_of_the_way(digest)), None)

    def _is_loose(self, at: int, *, kept: bool) -> bool:
        """Whether nothing of its own retains a managed image that follows others, or once did."""
        if self._follows(at):
            return True
        if at in self.matches.tagless:
            return at in self.matches.matched_tagless and not kept
        return not kept and self._standing_holder(at) is None

    def _follows(self, at: int) -> bool:
        """Whether the image goes with others, whatever the rules say: only its unmatched tag could stand against it."""
        image = self.images[at]
        if self._left_over_from(at) is not None:
            return True
        if at in self.matches.tagless:
            return bool(self.relations.prerequisites_of(image))
        return image.subject in self._inventory

    def _left_over_from(self, at: int) -> Leftover | None:
        """The record of an interrupted run, if it still speaks of this image: untouched, and what it followed gone,
        or going now. Never of one that its own tags decide about.
        """
        image = self.images[at]
        leftover = self._leftovers.get(image.digest)
        if leftover is None or not _is_untouched(image, leftover):
            return None
        if at not in self.matches.tagless and image.subject is None:
            return None
        still_there = (digest for digest in leftover.after if digest in self._inventory)
        return leftover if all(map(self._is_out_of_the_way, still_there)) else None

    def _untouched_leftovers(self) -> set[str]:
        """The digests of which the record of an interrupted run still speaks."""
        return {
            digest
            for digest, leftover in self._leftovers.items()
            if digest in self._inventory and _is_untouched(self._inventory[digest], leftover)
        }

    def _frees_contenders(self, newly_collected: set[str]) -> bool:
        """Whether an image that stays lost its index or its subject, and may contend from now on."""
        return any(
            follower not in self.collected
            for digest in newly_collected
            for follower in (*self.relations.children.get(digest, ()), *self.relations.referrers.get(digest, ()))
        )

    def decisions(self) -> Iterator[Decision]:
        """The decision on every image, newest first. Nobody contends anew after the last round: its votes hold."""
        return self._made_out(range(len(self.images)), [each.reasons() for votes in self.votes for each in votes])

    def decisions_on(self, digests: Container[str]) -> Iterator[Decision]:
        """The decisions on some images, newest first."""
        wanted = bytearray([image.digest in digests for image in self.images])
        positions = compress(range(len(wanted)), wanted)
        return self._made_out(positions, [each.reasons(wanted) for votes in self.votes for each in votes])

    def staying(self) -> tuple[Counter[str], Iterator[Decision]]:
        """As `plan.Decisions.staying`."""
        by_rule: Counter[str] = Counter()
        others = bytearray([image.digest not in self.collected for image in self.images])
        up_to_rules = bytearray(self._undecided)
        for at in self._special:
            up_to_rules[at] = 0
        all_votes = [each for votes in self.votes for each in votes]
        for each in all_votes:
            alone = [at for at in each.kept() if up_to_rules[at]]
            by_rule[each.rule.name] += len(alone)
            for at in alone:
                up_to_rules[at] = others[at] = 0
        positions = compress(range(len(others)), others)
        return by_rule, self._made_out(positions, [each.briefly(others) for each in all_votes])

    def _made_out(self, positions: Iterable[int], said_by: Sequence[Iterator[Said]]) -> Iterator[Decision]:
        """Decisions from what votes say of these positions and no others, each vote in the order of positions."""
        votes = said_by[0] if len(said_by) == 1 else merge(*said_by, key=itemgetter(0))
        following = next(votes, None)
        for at in positions:
            image = self.images[at]
            collected = image.digest in self.collected
            said: tuple[Reason, ...] = ()
            while following is not None and following[0] == at:
                if following[1] is not collected:
                    said = (*said, following[2])
                following = next(votes, None)
            if collected:
                yield Decision(image, Verdict.COLLECTED, tuple(self._why_collected(at, said)))
            elif said and self._undecided[at] and at not in self._special and image.digest not in self.held:
                yield Decision(image, Verdict.RETAINED, said)  # up to the rules alone
            elif image.digest not in self.held and (reasons := self._own_reasons(at, said)):
                yield Decision(image, Verdict.RETAINED, reasons)
            else:
                yield Decision(image, Verdict.HELD, (self._why_held(at),))

    def beyond_rules(self) -> Iterator[Decision]:
        """The decisions that no rule asked for, newest first: seldom more than a few, found without the others."""
        for at in sorted(self._special.union(self._unknown, self._doubtful())):
            image = self.images[at]
            if image.digest in self.collected:
                continue
            own = self._own_reasons(at, ())
            if image.digest in self.held or (not own and at in self._aside):
                yield Decision(image, Verdict.HELD, (self._why_held(at),))
            elif own and own[0].rule in _BEYOND_RULES:
                yield Decision(image, Verdict.RETAINED, own)

    @property
    def active(self) -> int:
        """How many images are neither archived nor on the way back from there."""
        return len(self.images) - len(self._inactive)

    def __len__(self) -> int:
        return len(self.images)

    def _why_held(self, at: int) -> Reason:
        """Through what something that stays holds the image, or what it waits for before its own tags count."""
        image = self.images[at]
        if image.digest in self.held:
            rule, holder = self.held[image.digest]
            return Reason(rule, HELD[rule], holder)
        waits_for = self._standing_holder(at)
        rule = "child-of-index" if waits_for in self.relations.parents.get(image.digest, ()) else "referrer-of-subject"
        return Reason(rule, HELD[rule], waits_for)

    def _own_reasons(self, at: int, won: tuple[Reason, ...]) -> tuple[Reason, ...]:
        image, unmatched = self.images[at], self.matches.unmatched[at]
        if alone := self._left_alone(at):
            return alone
        reasons = (*self.saved.get(at, ()), *(_UNREAD_INDEX if self._is_doubtful(at) else ()), *won)
        if unmatched is not None:
            return (*reasons, Reason("unmatched-tag", _UNMATCHED, unmatched))
        if at in self.matches.tagless and at not in self.matches.matched_tagless and not self._follows(at):
            return (*reasons, *_NO_UNTAGGED_RULE)
        return reasons or (_ENTANGLED if image.digest in self._entangled else ())

    def _left_alone(self, at: int) -> tuple[Reason, ...]:
        """Why no rule is asked about an image."""
        image = self.images[at]
        if image.status is Status.ACTIVATING:
            return _ACTIVATING
        if image.status is Status.ARCHIVED and not self._is_up_to_the_archive(at):
            return _NOT_TAKEN if self._policy.looks_into_archive else _ARCHIVED
        return () if image.media_type in KNOWN_TYPES else _UNKNOWN_KIND

    def _is_up_to_the_archive(self, at: int) -> bool:
        """Whether the rules about the archive decide on an archived image, or what it follows."""
        if not self._policy.looks_into_archive or self.matches.unmatched[at] is not None:
            return False
        return at in self.matches.archived or self._follows(at)

    def _why_collected(self, at: int, lost: tuple[Reason, ...]) -> Iterator[Reason]:
        image = self.images[at]
        yield from lost
        for parent in self.relations.parents.get(image.digest, ()):
            goes = "goes" if parent in self.collected else "is in the archive"
            yield Reason("goes-with-index", f"an index that lists it {goes}", parent)
        for subject in self.relations.subjects_of(image):
            goes = "goes" if subject in self.collected else "is in the archive"
            yield Reason("goes-with-subject", f"its subject {goes}", subject)
        leftover = self._left_over_from(at)
        if leftover is not None and not lost and not self.relations.prerequisites_of(image):
            yield Reason("left-over", "an interrupted run deleted what it went with", leftover.after[0])
        elif self.relations.is_referrer(image) and not self.relations.subjects_of(image):
            yield Reason("subject-gone", "a referrer whose subject is gone", self.relations.gone_subject_of(image))


def _is_untouched(image: Image, leftover: Leftover) -> bool:
    """Whether it is the image that the record speaks of.

    A run killed between two calls may have removed some of its tags, but neither all of them nor added one.
    """
    if leftover.pushed_at != image.pushed_at or bool(image.tags) != bool(leftover.tags):
        return False
    return set(image.tags) <= set(leftover.tags)
