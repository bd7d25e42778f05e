"""`policy diff`: which images fare otherwise under another policy."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.plan import time_of
from aws_ecr_gc.app.sources import Source, open_source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.config import Request
from aws_ecr_gc.discovery.settings import Kind, Settings
from aws_ecr_gc.errors import Exit, worst
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Leftover, Plan
from aws_ecr_gc.policy import Policy, indexes_to_read, make_plan
from aws_ecr_gc.policyfile import PolicyFile, load
from aws_ecr_gc.report import differences, document

_NO_POLICY = Policy(grace=0.0)
"""It has no rules: every image is unmanaged."""


def diff(request: Request, old: Path, new: Path, *, exit_code: bool, now: float, console: Console) -> Exit:
    """Compare two policy files over the repositories of a request; with `exit_code`, 6 where they differ."""
    files = load(old), load(new)
    in_use_differs = _in_use(files[0]) != _in_use(files[1])
    if any(file.in_use is not None for file in files):
        console.say("what is in use is not read for a comparison")
    found: list[differences.RepositoryDifference] = []
    with open_source(request, now, console) as source:
        sweep = Sweep(source, request.patterns, console)
        names = sweep.names()
        for name in names:
            with sweep.reading(name):
                difference = _between(source, name, files)
                if difference is not None and not difference.is_empty:
                    found.append(difference)
                    if request.output == "text":
                        console.print(differences.lines(difference))
    compared = len(names) - len(sweep.unread)
    if request.output == "json":
        content = differences.DifferenceDocument(
            1, f"aws-ecr-gc {__version__}", str(old), str(new), compared, in_use_differs, found, sweep.unread
        )
        console.print([document.encode(content)])
    else:
        if in_use_differs:
            console.print(["in_use differs: other workloads are asked what they run"])
        console.print([differences.summary(compared, found)])
    return worst([*sweep.exits, *([Exit.FOUND] if exit_code and (found or in_use_differs) else [])])


def _in_use(file: PolicyFile) -> Settings | None:
    """What a policy looks into, with paths that do not tell where the policy file itself is: often it is a copy."""
    asked = file.in_use
    if asked is None:
        return None
    clusters = asked.kubernetes
    if clusters is not None and clusters.kubeconfig is not None:
        clusters = replace(clusters, kubeconfig=Path(clusters.kubeconfig).name)
    lists = tuple(
        replace(each, words=(Path(each.words[0]).name,)) if each.kind is Kind.FILE else each for each in asked.lists
    )
    return replace(asked, kubernetes=clusters, lists=lists)


def _between(
    source: Source, name: str, files: tuple[PolicyFile, PolicyFile]
) -> differences.RepositoryDifference | None:
    """How two policies differ there; None where neither file has one for it."""
    tags = cache(lambda: source.resource_tags(name))
    policies = [file.policy_for(name, tags) for file in files]
    if policies == [None, None]:
        return None
    left_over: tuple[Leftover, ...] = ()

    def needed(inventory: Inventory) -> Sequence[str]:
        nonlocal left_over
        left_over = source.leftovers(inventory.repository)
        now = time_of(source, inventory)
        asked = (indexes_to_read(inventory, policy, now, left_over) for policy in policies if policy is not None)
        return next(filter(None, asked), [])

    inventory = source.inventory(name, needed)
    now = time_of(source, inventory)
    old, new = (_plan(inventory, policy, now, left_over) for policy in policies)
    names = tuple(None if policy is None else policy.name for policy in policies)
    return differences.between(inventory.repository, (names[0], names[1]), old, new)


def _plan(inventory: Inventory, policy: Policy | None, now: float, left_over: Sequence[Leftover]) -> Plan:
    if policy is None:
        return make_plan(inventory, _NO_POLICY, now)
    return make_plan(inventory, policy, now, left_over)
