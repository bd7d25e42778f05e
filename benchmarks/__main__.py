"""`make bench`: everything, measured in turns. Nothing here fails because something is slow."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks import contenders, fleet, goals, in_use, lifecycle
from benchmarks.contenders import BOTO3, FEW, FLOOR, PRODUCT, TEN_RULES
from benchmarks.in_use import Account, Reading
from benchmarks.measuring import Planned, Run, in_turns, output, serving
from benchmarks.tables import table

_SMALL = {"--help": (["--help"], 0), "--version": (["--version"], 0), "usage error": (["--nonsense"], 2)}


_ACCOUNT = Account(services=1000, clusters=20, versions=2000)
_IN_USE_HEAD = (
    "what is in use",
    "calls",
    "fewest calls",
    "wall s",
    "pace alone s",
    "pace / wall",
    "most at once",
    "CPU s",
    "uses",
)


_FLEET_HEAD = ("many repositories", "calls", "refused", "wall s", "CPU s", "peak MB")


def main() -> None:
    asked = _arguments()
    _show([f"{_machine()}; medians of {asked.rounds} rounds"])
    if not _agree():
        sys.exit("the plain script and the dry run do not list the same images: the figures would mean nothing")
    dry_runs = {}
    for images in asked.sizes:
        dry_runs[images] = _dry_run(images, asked.rounds)
    rows = [row for images, runs in dry_runs.items() for row in _costs(images, runs)]
    head = ["dry run", "calls", "wall s", "CPU s", "peak MB", "wall / boto3", "CPU / boto3", "peak / boto3"]
    _show(table([*head, "wall / floor", "CPU / floor", "peak / floor"], rows))
    reading = in_use.measure(asked.account)
    _show(table(_IN_USE_HEAD, [_in_use_costs(asked.account, reading)]))
    plans = {images: _plans(images, list(contenders.PLANNED), asked.rounds) for images in asked.planned}
    if asked.most not in plans:
        plans[asked.most] = _plans(asked.most, [TEN_RULES], 1)
    rows = [row for images, planned in plans.items() for row in _plan_costs(images, planned)]
    head = ["planning alone", "to delete", "CPU s", f"CPU / {FEW}", "reading it, CPU s", "bytes an image", "peak MB"]
    _show(table(head, rows))
    many = fleet.measure(asked.fleets, asked.rounds)
    _show(table(_FLEET_HEAD, list(_fleet_costs(many))))
    simulated = lifecycle.measure(asked.planned[0])
    _show(table(lifecycle.HEAD, [lifecycle.cells(asked.planned[0], each) for each in simulated]))
    sources = goals.in_use(asked.account, reading, loads_reading=_loads_reading(), full=asked.account == _ACCOUNT)
    judged = [
        goal.cells
        for goal in [
            *_goals(dry_runs, asked.rounds),
            *goals.planning(plans),
            *sources,
            *goals.fleets(asked.fleets, many),
            *goals.simulating(asked.planned[0], simulated),
        ]
    ]
    _show(table(["goal", "measured", "bound", "met/missed"], judged))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Dry runs against a boto3 script.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run, in turns (default: 5)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000], metavar="IMAGES", help="images to list"
    )
    parser.add_argument("--full", action="store_true", help="plan 1,000,000 images by prefix as well")
    parser.add_argument("--quick", action="store_true", help="1,000 images, one round: whether it works")
    asked = parser.parse_args()
    asked.planned, asked.most = [100_000, 1_000_000] if asked.full else [100_000], 1_000_000
    asked.account = _ACCOUNT
    asked.fleets = fleet.Sizes()
    if asked.quick:
        asked.account = Account(services=20, clusters=2, versions=40)
        few = fleet.Fleet(20, 10, 4)
        asked.fleets = fleet.Sizes(few, few, few, few)
        asked.rounds, asked.sizes, asked.planned, asked.most = 1, [1000], [1000], 10_000
    if asked.rounds < 1 or min(asked.sizes) < 1:
        parser.error("--rounds and --sizes are at least 1")
    return asked


def _machine() -> str:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"Python {platform.python_version()}, boto3 {version('boto3')}, msgspec {version('msgspec')}, "
        f"{os.cpu_count()} cores, load average {load}"
    )


def _agree() -> bool:
    """Whether both list the same images to delete."""
    with serving(1000) as server:
        listed = [output(command(server.url)).stdout for command in (contenders.product, contenders.plain_boto3)]
    ours, theirs = ([line for line in text.splitlines() if line.startswith("  ")] for text in listed)
    return bool(ours) and sorted(ours) == sorted(theirs)


def _dry_run(images: int, rounds: int) -> dict[str, Run]:
    with serving(images) as server:
        commands = {
            FLOOR: contenders.floor(server.url),
            BOTO3: contenders.plain_boto3(server.url),
            PRODUCT: contenders.product(server.url),
        }
        return in_turns(commands, rounds, server)


def _costs(images: int, runs: dict[str, Run]) -> Iterator[list[str]]:
    for name, run in runs.items():
        ratios = [
            f"{ours / theirs:.2f}"
            for other in (runs[BOTO3], runs[FLOOR])
            for ours, theirs in ((run.wall, other.wall), (run.cpu, other.cpu), (run.peak, other.peak))
        ]
        yield [
            f"{images:,} images: {name}",
            str(run.calls),
            f"{run.wall:.3f}",
            f"{run.cpu:.3f}",
            f"{run.peak / 1e6:.0f}",
            *ratios,
        ]


def _in_use_costs(account: Account, reading: Reading) -> list[str]:
    seconds, pace = reading.read.seconds, reading.pace
    return [
        str(account),
        f"{reading.calls.total():,}",
        f"{account.fewest():,}",
        f"{seconds:.1f}",
        f"{pace:.1f}",
        f"{pace / seconds:.2f}",
        str(reading.most_at_once),
        f"{reading.cpu:.1f}",
        f"{reading.read.uses:,}",
    ]


def _fleet_costs(measured: fleet.Measured) -> Iterator[list[str]]:
    names = (
        "listing, 32 at once: aws-ecr-gc",
        "listing, 32 at once: bare client",
        "deleting, 16 at once: aws-ecr-gc",
        "deleting, 16 at once: bare client",
        "throttled at 20 a second: default pace",
        "throttled at 20 a second: --max-rps 100",
        "1,000,000 images, 8 at once, 5% to go",
        "1,000,000 images, 8 at once, all to go",
        "1,000,000 images, 8 at once, all deleted",
        "no repository",
    )
    for name, seen in zip(names, measured, strict=True):
        run = seen.run
        cells = [f"{seen.calls:,}", str(seen.refused), f"{run.wall:.2f}", f"{run.cpu:.2f}", f"{run.peak / 1e6:.0f}"]
        yield [name, *cells]


def _loads_reading() -> bool:
    """Whether a run that asks for no source loads what reads sources."""
    with serving(0) as server:
        command = [sys.executable, "-X", "importtime", *contenders.product(server.url)]
        return in_use.loads_reading(output(command).stderr)


def _plans(images: int, policies: list[str], rounds: int) -> dict[str, Planned]:
    """The medians of plans made one after the other, round by round."""
    plans: dict[str, list[Planned]] = {policy: [] for policy in policies}
    for _ in range(rounds):
        for policy, several in plans.items():
            several.append(Planned(*json.loads(output(contenders.planning(images, policy)).stdout)))
    return {policy: sorted(several)[rounds // 2] for policy, several in plans.items()}


def _plan_costs(images: int, plans: dict[str, Planned]) -> Iterator[list[str]]:
    for policy, plan in plans.items():
        yield [
            f"{images:,} images, {policy}",
            f"{plan.steps:,}",
            f"{plan.seconds:.3f}",
            f"{plan.seconds / plans[FEW].seconds:.2f}" if FEW in plans else "",
            f"{plan.reading:.3f}",
            f"{plan.added / images:.0f}",
            f"{plan.peak / 1e6:.0f}",
        ]


def _goals(dry_runs: dict[int, dict[str, Run]], rounds: int) -> Iterator[goals.Goal]:
    with serving(0) as server:
        commands = {
            BOTO3: contenders.plain_boto3(server.url),
            PRODUCT: contenders.product(server.url),
            "listing": contenders.listing(server.url),
        }
        empty = in_turns(commands, 2 * rounds, server)
    yield from goals.costs(dry_runs)
    yield from _slow(dry_runs, empty[PRODUCT].wall, rounds)
    yield goals.start(empty)
    yield from _small(2 * rounds)
    yield from _memory(dry_runs, empty, rounds)
    yield from goals.calls(dry_runs)


def _slow(dry_runs: dict[int, dict[str, Run]], start: float, rounds: int) -> Iterator[goals.Goal]:
    images = goals.nearest(dry_runs, 10_000)
    with serving(images, goals.LATENCY) as server:
        slow = in_turns({PRODUCT: contenders.product(server.url)}, rounds, server)
    yield goals.latency(images, slow[PRODUCT], start)


def _small(rounds: int) -> Iterator[goals.Goal]:
    bare = [sys.executable, "-c", "pass"]
    for words, (arguments, expected) in _SMALL.items():
        command = [*contenders.program(), *arguments]
        # Its exit code is 2, by which a usage error shows that it is one; bare Python imitates it.
        ended = [sys.executable, "-c", f"raise SystemExit({expected})"] if expected else bare
        runs = in_turns({"bare": ended, PRODUCT: command}, rounds, expected=expected)
        imported = output([sys.executable, "-X", "importtime", *command]).stderr
        if "aws_ecr_gc.cli.main" not in imported:
            sys.exit(f"{command}: its imports can't be seen:\n{imported}")
        yield from goals.small(words, runs[PRODUCT], runs["bare"], loads_botocore="botocore" in imported)


def _memory(dry_runs: dict[int, dict[str, Run]], empty: dict[str, Run], rounds: int) -> Iterator[goals.Goal]:
    images = goals.nearest(dry_runs, 100_000)
    with serving(images) as server:
        listed = in_turns({"listing": contenders.listing(server.url)}, rounds, server)
    yield goals.memory(images, listed["listing"], empty["listing"], "listed", 650)
    yield goals.memory(images, dry_runs[images][PRODUCT], empty[PRODUCT], "planned (the whole dry run)", 800)


def _show(lines: Iterator[str] | list[str]) -> None:
    print(*lines, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
