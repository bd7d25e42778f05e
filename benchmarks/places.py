"""How far one process goes: plans for all accounts and regions of an organization.

Run as a module: benchmarks.places [ACCOUNTS...]. Each account has two regions, each of these two repositories of four
images, and is entered with a role. `benchmarks.places serve ACCOUNTS` is the stand-in with them, in a process of its
own. It is a Python program, and slower than this: read CPU seconds and memory, which are those of aws-ecr-gc alone.
"""

import json
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from aws_ecr_gc.sandbox import Sandbox
from aws_ecr_gc.sandbox.manifests import OCI_IMAGE, layer, write
from benchmarks import contenders, measuring
from benchmarks.measuring import Run
from benchmarks.tables import table

REGIONS = ("us-east-1", "eu-west-1")
_HEAD = ("planning all of them", "wall s", "CPU s", "CPU ms a place", "peak MB")


def main(sizes: list[int]) -> None:
    print("\n".join(table(_HEAD, [_row(accounts, _measure(accounts)) for accounts in sizes])))


def serve(accounts: int) -> None:
    """Print the URL, then serve until standard input ends."""
    with Sandbox() as sandbox:
        for account in _names(accounts):
            for region in REGIONS:
                registry = sandbox.registry(account, region)
                for name in ("app", "lib"):
                    repository = registry.create_repository(name)
                    for number in range(4):
                        manifest = write(f"{name}-{number}", OCI_IMAGE, layers=[layer("base", 1000, OCI_IMAGE)])
                        repository.tag(f"build-{number}", repository.put(manifest, OCI_IMAGE))
        print(sandbox.url, flush=True)
        sys.stdin.read()


def _measure(accounts: int) -> Run:
    rules = [{"name": "builds", "match": {"prefix": "build-"}, "keep": {"newest": 2}}]
    targets = {"accounts": _names(accounts), "regions": REGIONS, "role": "gc"}
    with tempfile.TemporaryDirectory() as folder, _serving(accounts) as url:
        policy = Path(folder, "policy.json")
        policy.write_text(json.dumps({"version": 1, "targets": targets, "policies": [{"rules": rules}]}))
        words = ["plan", "-f", str(policy), "--region", REGIONS[0], "--region", REGIONS[1]]
        return measuring.run(["env", f"AWS_ENDPOINT_URL={url}", *contenders.program(), *words])


def _serving(accounts: int) -> AbstractContextManager[str]:
    return measuring.started([sys.executable, "-m", "benchmarks.places", "serve", str(accounts)])


def _names(accounts: int) -> list[str]:
    return [f"{number:012}" for number in range(200_000_000_000, 200_000_000_000 + accounts)]


def _row(accounts: int, run: Run) -> list[str]:
    places = accounts * len(REGIONS)
    what = f"{accounts:,} accounts, {places:,} accounts and regions, {2 * places:,} repositories"
    return [what, f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{1000 * run.cpu / places:.0f}", f"{run.peak / 1e6:.0f}"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or [100, 500])
