"""`lifecycle lint`: what is wrong with a lifecycle policy, and what about it may surprise."""

from collections.abc import Iterator, Mapping
from functools import partial

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, own_name, reading, text_of
from aws_ecr_gc.app.lifecycle.simulate import indexes_to_read
from aws_ecr_gc.app.plan import time_of
from aws_ecr_gc.app.protection import loaded
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.app.workloads import needed
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.lifecycle.findings import Finding, Severity
from aws_ecr_gc.lifecycle.linting import Ground, warnings, warnings_in
from aws_ecr_gc.lifecycle.reading import Written, read
from aws_ecr_gc.lifecycle.simulating import simulate
from aws_ecr_gc.report import document
from aws_ecr_gc.report.lifecycle import findings as report
from aws_ecr_gc.usage import InUse


def lint(asked: Asked, *, now: float, console: Console, strict: bool) -> Exit:
    """Look at a file, and at what it would do to the repositories that are named, if any; or at their own policies.

    Exit 6 where ECR refuses a policy; with `strict`, also for warnings.
    """
    in_use = None if asked.uses is None else loaded(asked.uses, None, asked.allow_unread)
    found: list[Finding] = []
    stated = None if asked.policy is None else read(text_of(asked.policy), str(asked.policy))
    if stated is not None:
        found += [*stated.errors, *warnings(stated)]
    exits: list[Exit] = []
    if asked.patterns or asked.snapshot is not None:
        with reading(asked, now, console) as (source, repositories):
            for name in repositories.names():
                with repositories.reading(name):
                    found += _in_repository(asked, stated, source, name, in_use)
            exits += repositories.exits
    _print(asked, found, console)
    severities = {each.severity for each in found}
    if Severity.ERROR in severities or (strict and severities):
        exits.append(Exit.FOUND)
    return worst(exits)


def _in_repository(
    asked: Asked, stated: Written | None, source: Source, name: str, in_use: InUse | None
) -> Iterator[Finding]:
    written = stated
    if written is None:
        kept = source.lifecycle_policy(name)
        if kept is None:
            return
        written = read(kept.text, own_name(name))
        yield from written.errors
        yield from warnings(written)
    policy = written.policy
    if policy is None:
        return
    inventory = source.inventory(name, partial(indexes_to_read, asked, policy, source.at))
    images = list(inventory.images.values())
    at = time_of(source, inventory)
    simulation = simulate(images, policy, at, days=asked.days, assumptions=asked.assumptions)
    yield from warnings_in(written, Ground(name, images, simulation, _needed(inventory, in_use)))


def _needed(inventory: Inventory, in_use: InUse | None) -> Mapping[str, str]:
    return {} if in_use is None else needed(inventory, in_use)


def _print(asked: Asked, found: list[Finding], console: Console) -> None:
    found.sort(key=lambda each: (each.file, each.line, each.column))
    if asked.output == "json":
        console.print([document.encode(report.LintDocument(1, f"aws-ecr-gc {__version__}", found))])
        return
    what = "the lifecycle policies" if asked.policy is None else str(asked.policy)
    console.print([*map(str, found), report.summary(found, what)])
