"""What is valid in a lifecycle policy, and may not do what is meant: by its text alone, and in a certain repository."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from msgspec import Struct

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.lifecycle.findings import Finding
from aws_ecr_gc.lifecycle.patterns import can_match, implied, meet, reduced, selector
from aws_ecr_gc.lifecycle.reading import Written
from aws_ecr_gc.lifecycle.simulating import Simulation
from aws_ecr_gc.lifecycle.values import Action, CountType, Rule, Storage, TagStatus, counted

_SIGNATURES = "sha256-*"
_BY_TAGS = "let rules select by tags"


def warnings(written: Written) -> Iterator[Finding]:
    """What can be told by the text alone; of rules that are no rules nothing."""
    for place, (at, rule) in enumerate(written.rules):
        earlier = [each for _, each in written.rules[:place] if each.storage is rule.storage]
        path = f"rules[{at}]"
        found = [*_of_entries(written, path, rule), *_never_acts(written, path, rule, earlier)]
        yield from found
        if not any(each.check == "never-acts" for each in found):
            yield from _of_priorities(written, path, rule, earlier)
        yield from _of_counts(written, path, rule)
    yield from _of_archive(written)


def _of_entries(written: Written, path: str, rule: Rule) -> Iterator[Finding]:
    named = "tagPrefixList" if rule.are_prefixes else "tagPatternList"
    for at, entry in enumerate(rule.entries):
        where = f"{path}.selection.{named}[{at}]"
        if rule.are_prefixes and "*" in entry:
            message = f"never acts: a prefix takes its * literally, and no tag holds one: {entry}"
            yield written.finding("never-acts", where, message, "write tagPatternList, or leave out the *")
        elif not can_match(entry):
            message = f"never acts: no tag can hold what is in {entry}: there are letters, digits and . _ - only"
            mend = "a pattern is no regular expression: * stands for any text, all else for itself"
            yield written.finding("never-acts", where, message, mend)
        elif not entry:
            yield written.finding("empty-entry", where, "the empty prefix: every tagged image is selected")
    patterns = rule.patterns or ()
    needed = reduced(patterns)
    if len(needed) > 1:
        message = f"an image is selected only if it has a tag for each of {', '.join(rule.entries)}"
        mend = "if one of them is to be enough, write a rule for each"
        yield written.finding("all-entries", f"{path}.selection.{named}", message, mend)


def _never_acts(written: Written, path: str, rule: Rule, earlier: Sequence[Rule]) -> Iterator[Finding]:
    for each in earlier:
        if implied(each, by=rule):
            message = f"never acts: every image that it selects belongs to rule {each.priority}, which comes first"
            yield written.finding("never-acts", path, message, "give it the lower rulePriority, or leave it out")
            return


def _of_priorities(written: Written, path: str, rule: Rule, earlier: Sequence[Rule]) -> Iterator[Finding]:
    stricter = [each for each in earlier if _keeps_less(each, rule)]
    if stricter:
        first = stricter[0]
        message = (
            f"an image with tags of both goes by rule {first.priority} ({first.condition}), though this rule "
            f"({rule.condition}) would keep it longer"
        )
        mend = "what protects comes first: give this rule the lower rulePriority"
        yield written.finding("priority", path, message, mend)
    if rule.count_type is CountType.MORE_THAN:
        shared = [str(each.priority) for each in earlier if _may_share(each, rule)]
        if shared:
            message = (
                f"it counts what belongs to {_rules(shared)} too, as if {'that rule' if len(shared) == 1 else 'those'} "
                f"did not exist: of its own it may keep fewer than {rule.number}"
            )
            yield written.finding("counts-others", path, message, "raise its countNumber by what those keep")


def _keeps_less(earlier: Rule, rule: Rule) -> bool:
    """Whether an image may have tags of both, and is kept longer by the one that does not decide."""
    both_tagged = earlier.tag_status is TagStatus.TAGGED is rule.tag_status
    return both_tagged and earlier.count_type is rule.count_type and earlier.number < rule.number


def _may_share(earlier: Rule, rule: Rule) -> bool:
    """Whether an image that this rule counts may belong to the earlier one, by one tag or by having no say on tags."""
    if rule.tag_status is TagStatus.ANY:
        return True
    if earlier.tag_status is not TagStatus.TAGGED or rule.tag_status is not TagStatus.TAGGED:
        return False
    pairs = product(earlier.patterns or (), rule.patterns or ())
    return any(meet(one, other) for one, other in pairs)


def _rules(priorities: Sequence[str]) -> str:
    return f"rule {priorities[0]}" if len(priorities) == 1 else f"rules {', '.join(priorities)}"


def _of_counts(written: Written, path: str, rule: Rule) -> Iterator[Finding]:
    if rule.count_type is not CountType.MORE_THAN:
        return
    if rule.tag_status is not TagStatus.TAGGED:
        kinds = "the children of indexes, signatures and SBOMs"
        message = f"it counts {kinds} as images: {rule.number} of all may be few of what anybody pulls"
        yield written.finding("counts-parts", path, message, "count by tags instead, or by age")
    elif any(meet(pattern, _SIGNATURES) for pattern in rule.patterns or ()):
        message = "it counts cosign's tags (sha256-....sig) as images, and lets signatures expire before what they sign"
        yield written.finding("counts-parts", path, message, "narrow its list to the tags of images")


def _of_archive(written: Written) -> Iterator[Finding]:
    rules = [rule for _, rule in written.rules]
    if any(rule.action is Action.TRANSITION for rule in rules):
        return
    for at, rule in written.rules:
        if rule.storage is Storage.ARCHIVE:
            message = "no rule archives anything: it acts on what is archived by hand alone"
            yield written.finding("nothing-archived", f"rules[{at}]", message, "add a rule with the action transition")


class Idle(Struct, frozen=True):
    """A rule that no image belongs to: it `selects` so many, which belong to the rules `taken_by`."""

    rule: Rule
    place: int
    selects: int
    taken_by: tuple[int, ...]

    def __str__(self) -> str:
        if not self.selects:
            return "selects no image that is there now"
        owners = _rules([str(priority) for priority in self.taken_by])
        belong = "that it selects belongs" if self.selects == 1 else "that it selects belong"
        return f"never acts as things are: {counted(self.selects, 'image')} {belong} to {owners}"


def idle_rules(written: Written, images: Sequence[Image], simulation: Simulation) -> Iterator[Idle]:
    """The rules to which no image of a repository belongs."""
    owning = set(simulation.owners.values())
    for at, rule in written.rules:
        if rule.priority in owning:
            continue
        wanted = Status.ARCHIVED if rule.storage is Storage.ARCHIVE else Status.ACTIVE
        select = selector(rule)
        met = [image.digest for image in images if image.status is wanted and select(image.tags)]
        owners = {simulation.owners[digest] for digest in met if digest in simulation.owners}
        yield Idle(rule, at, len(met), tuple(sorted(owners)))


class Ground(Struct, frozen=True):
    """A repository, what a policy would do to it, and why what runs there must stay (by digest)."""

    name: str
    images: Sequence[Image]
    simulation: Simulation
    needed: Mapping[str, str] = {}

    @property
    def children(self) -> set[str]:
        """What is listed by an index that is there, and is there itself."""
        there = {image.digest for image in self.images}
        return {child for image in self.images for child in image.children or ()} & there

    @property
    def subjects(self) -> dict[str, str]:
        """The subject of each image that refers to one that is there."""
        there = {image.digest for image in self.images}
        return {image.digest: image.subject for image in self.images if image.subject in there and image.subject}

    @property
    def signatures(self) -> set[str]:
        """What has cosign's tags alone."""
        return {image.digest for image in self.images if image.tags and all(map(_is_signature, image.tags))}


def _is_signature(tag: str) -> bool:
    return tag.startswith("sha256-")


def warnings_in(written: Written, ground: Ground) -> Iterator[Finding]:
    """What the policy would do to a repository that is hardly meant."""

    def found(check: str, at: int, message: str, mend: str = "") -> Finding:
        return written.finding(check, f"rules[{at}]", f"repository {ground.name}: {message}", mend)

    for idle in idle_rules(written, ground.images, ground.simulation):
        yield found("never-acts", idle.place, str(idle))
    children, subjects, signatures = ground.children, ground.subjects, ground.signatures
    failing, going = {failure.digest for failure in ground.simulation.failures}, ground.simulation.gone
    for at, rule in written.rules:
        marked = [digest for digest, (priority, _) in ground.simulation.marks.items() if priority == rule.priority]
        held = sum(digest in children and digest in failing for digest in marked)
        if held:
            message = (
                f"it marks {counted(held, 'image')} listed by an index that is there: ECR is to refuse that, and has "
                "been seen to delete such images in repositories of a pull-through cache"
            )
            yield found("children-of-indexes", at, message, _BY_TAGS)
        early = sum(digest in subjects and subjects[digest] not in going for digest in marked)
        if early:
            what = "1 signature or SBOM would go" if early == 1 else f"{early} signatures or SBOMs would go"
            yield found("signatures", at, f"{what} before what it belongs to", _BY_TAGS)
        kept = _kept_by_count(rule, ground.images)
        kinds = {
            "children of indexes": sum(digest in children for digest in kept),
            "signatures and SBOMs": sum(digest in subjects or digest in signatures for digest in kept),
        }
        if said := " and ".join(f"{count} {kind}" for kind, count in kinds.items() if count):
            yield found(
                "counts-parts", at, f"among the {rule.number} that it keeps are {said}", "raise its countNumber"
            )
        for event in ground.simulation.events:
            if event.priority == rule.priority and event.digest in ground.needed:
                verb = "expires" if event.action is Action.EXPIRE else "is archived"
                message = f"{event.digest} {verb}, and {ground.needed[event.digest]}"
                yield found("in-use", at, message, "protect it by a rule of a lower rulePriority")


def _kept_by_count(rule: Rule, images: Sequence[Image]) -> list[str]:
    """What a rule keeps as the youngest, where it leaves any behind."""
    if rule.count_type is not CountType.MORE_THAN:
        return []
    select = selector(rule)
    met = [image for image in images if image.status is Status.ACTIVE and select(image.tags)]
    if len(met) <= rule.number:
        return []
    met.sort(key=lambda image: image.activated_at or image.pushed_at)
    return [image.digest for image in met[-rule.number :]]
