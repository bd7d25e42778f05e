"""`lifecycle report`: repositories without a policy, near their limit, or with one that never acts."""

from collections.abc import Iterator

from msgspec import Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, Own, Repositories, own_policy
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.lifecycle.linting import idle_rules
from aws_ecr_gc.lifecycle.simulating import EVERY, simulate
from aws_ecr_gc.report import document, text
from aws_ecr_gc.report.lifecycle import health
from aws_ecr_gc.report.lifecycle.health import Remark, RepositoryHealth

_OVERDUE = 2 * EVERY
"""ECR acts within 24 hours; twice that is worth a word."""


class Limit(Struct, frozen=True):
    """How many images a repository may have (a quota of the account), and from which share of it on it is told."""

    images: int = 100_000
    share: float = 0.8


def report(asked: Asked, limit: Limit, *, now: float, console: Console) -> Exit:
    """Look at every repository; exit 6 where there is something to say of one."""
    found: list[RepositoryHealth] = []
    with open_live(asked.connection, Live(asked.directories, now, console)) as source:
        repositories = Repositories(source, asked.patterns, console)
        for name in repositories.names():
            with repositories.reading(name):
                health_ = _looked_at(asked, source, name, limit, now)
                found.append(health_)
                if asked.output == "text":
                    console.print(health.lines(health_))
    if asked.output == "json":
        content = health.ReportDocument(1, f"aws-ecr-gc {__version__}", found, repositories.unread)
        console.print([document.encode(content)])
    else:
        console.print([health.summary(found)])
    remarks = [Exit.FOUND for each in found if each.remarks]
    return worst([*remarks, *repositories.exits])


def _looked_at(asked: Asked, source: LiveSource, name: str, limit: Limit, now: float) -> RepositoryHealth:
    own = own_policy(source, name)
    inventory = source.inventory(name, lambda _: ())  # which image belongs to which rule no index decides
    evaluated_at = None if own is None else own.kept.evaluated_at
    return RepositoryHealth(
        document.repository_part(inventory.repository),
        len(inventory.images),
        limit.images,
        None if own is None else len(own.policy.rules),
        None if evaluated_at is None else document.moment(evaluated_at),
        [*_of_number(inventory, limit), *_of_policy(asked, own, inventory, now)],
    )


def _of_number(inventory: Inventory, limit: Limit) -> Iterator[Remark]:
    count = len(inventory.images)
    if count >= limit.share * limit.images:
        share = f"{count / limit.images:.0%}"
        yield Remark("near-limit", f"{count:,} of {limit.images:,} images ({share}); at the limit pushes fail")


def _of_policy(asked: Asked, own: Own | None, inventory: Inventory, now: float) -> Iterator[Remark]:
    if own is None:
        yield Remark("no-policy", "no lifecycle policy")
        return
    evaluated_at = own.kept.evaluated_at
    if evaluated_at is None:
        yield Remark("never-evaluated", "its lifecycle policy has not been evaluated yet")
    elif now - evaluated_at > _OVERDUE:
        yield Remark("not-evaluated", f"its lifecycle policy was evaluated last at {text.moment(evaluated_at)} UTC")
    images = list(inventory.images.values())
    if not images:
        return
    simulation = simulate(images, own.policy, now, assumptions=asked.assumptions)
    idle = list(idle_rules(own.written, images, simulation))
    if len(idle) == len(own.policy.rules):
        yield Remark("never-acts", "no rule of its lifecycle policy selects any image that is there")
        return
    for each in idle:
        yield Remark("rule-never-acts", f"rule {each.rule.priority} ({each.rule.selection}) {each}")
