"""`aws-ecr-gc demo`: the main job against the registry stand-in. No AWS account, no network."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.errors import Exit
from aws_ecr_gc.sandbox import Image, Sandbox, bundled_scenario

_NOT_HERE = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_MAIN_JOB = "--repo testrepo --delete-untagged=true --keep release-production=4 --keep build=8"
_MULTIARCH = "--repo multiarch --keep build=2"
_IN_USE = "--repo multiarch --keep build=1 --protect-in-use ecs"


def parser() -> Parser:
    """There is nothing to say."""
    return Parser("aws-ecr-gc demo", "Run the main job against the built-in registry stand-in.")


def run(arguments: Sequence[str]) -> int:
    """Show the original's example, and a case that it gets wrong. Returns the worst exit code of what was run."""
    parser().read(arguments)
    with tempfile.TemporaryDirectory(prefix="aws-ecr-gc-demo-") as home:
        return _main_job(Path(home)) or _multiarch(Path(home)) or _in_use(Path(home))


def _main_job(home: Path) -> int:
    with Sandbox(bundled_scenario("testrepo")) as sandbox:
        _say("A stand-in for Amazon ECR listens on loopback. Its repository `testrepo` holds 47 images.")
        shown = _command(sandbox, home, _MAIN_JOB)
        if shown != Exit.DONE:
            return shown
        _say(f"`testrepo` now holds {len(sandbox.registry().repository('testrepo').images)} images.")
        return Exit.DONE


def _multiarch(home: Path) -> int:
    with Sandbox(bundled_scenario("multiarch")) as sandbox:
        _say(
            "Multi-arch images: an index lists a manifest for each platform, mostly without a tag of its own.",
            "The original leaves the platform manifests of a deleted index behind for good, or, told to delete",
            "untagged images, runs into those that other indexes need. The repository `multiarch`:",
        )
        _show(sandbox)
        shown = _command(sandbox, home, _MULTIARCH)
        if shown != Exit.DONE:
            return shown
        _say(
            "The old index went together with the platform manifest and the signature that only it needed;",
            "the platform manifest that a kept index shares stayed:",
        )
        _show(sandbox)
        return Exit.DONE


def _in_use(home: Path) -> int:
    with Sandbox(bundled_scenario("multiarch")) as sandbox:
        (cluster,) = sandbox.workloads().ecs.clusters.values()
        (service,) = cluster.services.values()
        digest = service.revisions[-1].images[0].digest or ""
        _say(
            "The same repository once more; in the same account an ECS service runs one of its oldest images:",
            f"{cluster.name}/{service.name} was deployed from the platform manifest {digest[:16]}...",
        )
        shown = _command(sandbox, home, _IN_USE)
        if shown != Exit.DONE:
            return shown
        _say("What runs stayed, with the index that lists it, that one's other platform and its signature:")
        _show(sandbox)
        return Exit.DONE


def _command(sandbox: Sandbox, home: Path, words: str) -> int:
    """Show a command line and what it says, as on a terminal."""
    print("$ export AWS_DEFAULT_REGION=us-east-1", f"$ aws-ecr-gc {words}", sep="\n", flush=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_HERE)},
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    command = [sys.executable, "-m", "aws_ecr_gc", *words.split()]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own words


def _show(sandbox: Sandbox) -> None:
    repository = sandbox.registry().repository("multiarch")
    for image in sorted(repository.images.values(), key=lambda image: -image.pushed_at):
        print(f"  {image.digest[:16]}... {', '.join(image.tags) or '(untagged)':<12}", *_nature(image))
    print()


def _nature(image: Image) -> Iterator[str]:
    if image.children:
        yield f"index of {', '.join(child[:16] for child in image.children)}"
    elif image.subject:
        yield f"signature of {image.subject[:16]}"
    else:
        yield "platform manifest"


def _say(*lines: str) -> None:
    print("", *(f"# {line}" for line in lines), sep="\n", flush=True)
