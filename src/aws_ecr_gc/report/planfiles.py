"""Plan files, as text."""

import shlex
from collections.abc import Iterator

from aws_ecr_gc import durations
from aws_ecr_gc.planfile import Flags, PlanFile, PolicySource
from aws_ecr_gc.report import plans, text, uses, work


def lines(file: PlanFile) -> Iterator[str]:
    """What the plans rest on, and then what `plan` said of each repository."""
    registry = file.registry
    yield f"Plan of {text.moment(file.made_at)} UTC, made by {file.tool}"
    yield f"Registry: {registry.account or 'account not known'} {registry.region} ({registry.partition})"
    yield f"Policy: {named(file.policy)}{'' if file.policy.sha256 is None else f' (sha256 {file.policy.sha256})'}"
    yield from in_use(file)
    yield f"Checksum: {file.checksum}"
    for each in file.repositories:
        refused = [plans.Guarded(one.guard, one.detail, one.way_round) for one in each.refused]
        yield from plans.lines(each.plan, each.policy, refused, each.broken)
    yield from plans.summary(*sums(file))


def named(source: PolicySource) -> str:
    """The files of a policy, or the flags in their stead."""
    if source.flags is not None:
        return f"the command line, {' '.join(_words(source.flags))}"
    return ", ".join(source.files)


def _words(flags: Flags) -> Iterator[str]:
    yield from (f"--keep {shlex.quote(f'{prefix}={count}')}" for prefix, count in flags.keep.items())
    if flags.delete_untagged:
        yield "--delete-untagged"
    yield f"--grace {durations.spelled(flags.grace)}"


def in_use(file: PlanFile) -> Iterator[str]:
    """Where the plans looked for what is in use."""
    if file.seen is not None:
        yield f"{uses.places(file.seen)}, at {text.moment(file.seen.taken_at)} UTC"
        yield from uses.gone_on_without(file.seen)
    elif file.asked is not None:
        yield "In use was not read, for nothing would be deleted"
    else:
        yield "In use was not asked for"


def sums(file: PlanFile) -> tuple[plans.Sum, plans.Sum]:
    """What goes, and what guards refuse."""
    going, refused = plans.Sum(), plans.Sum()
    for each in file.repositories:
        (refused if each.refused else going).add(each.plan)
    return going, refused


def total(file: PlanFile) -> str:
    """How much is to be done, and in how many repositories; what guards refuse stands apart."""
    going, refused = sums(file)
    where = sum(bool(each.plan.steps) and not each.refused for each in file.repositories)
    apart = f"; guards refuse {text.images(refused.work.images)} in {text.repositories(refused.plans)}"
    return (
        f"{work.to_do(going.work)} in {text.repositories(where)}{work.at_most(going.work)}"
        f"{apart if refused.plans else ''}"
    )
