"""Plan files for tests: generated ones, and one with everything in it."""

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc import planfile
from aws_ecr_gc.inventory import Image, Inventory, Status
from aws_ecr_gc.planfile import PlanFile, PlannedRepository
from aws_ecr_gc.planfile.layout import Document, checksum_of
from aws_ecr_gc.policy import Policy, make_plan, original_policy
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.usage import InUse, Origin, Reach, Unread
from tests.policy.repositories import INDEX, MANIFEST, NOW, REPOSITORY, digest, inventories, policies

REGISTRY = REPOSITORY.registry
FLAGS = planfile.Flags({"build": 1}, delete_untagged=True, grace=0.0)


def planned(inventory: Inventory, policy: Policy, name: str = "testrepo", **more: Any) -> PlannedRepository:
    """The plan for one repository, as it goes into a file."""
    at = replace(inventory, repository=Repository(REGISTRY, name))
    return PlannedRepository(make_plan(at, policy, NOW), at, policy.name, **more)


def file_of(*repositories: PlannedRepository, **more: Any) -> PlanFile:
    """A plan file of these plans."""
    return PlanFile("aws-ecr-gc 0", NOW + 0.1, REGISTRY, planfile.PolicySource(flags=FLAGS), repositories, **more)


def saved(file: PlanFile) -> bytes:
    """What is in the file once it is saved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        planfile.save(path, file)
        return path.read_bytes()


def loaded(content: bytes) -> PlanFile:
    """What is loaded from such a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_bytes(content)
        return planfile.load(path)


def edited(file: PlanFile, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The file after a change, with a checksum that fits wherever the change leaves a document."""
    document = json.loads(saved(file))
    change(document)
    with suppress(msgspec.ValidationError):
        document["checksum"] = checksum_of(msgspec.convert(document, Document))
    return json.dumps(document).encode()


def everything() -> PlanFile:
    """An index with two children and a signature go, each with its reasons; other images stay for other reasons."""
    images = [
        Image(digest("child"), NOW - 90_000, (), MANIFEST, 100, pulled_at=NOW - 5.125),
        Image(digest("other child"), NOW - 90_000, (), MANIFEST, 200),
        Image(
            digest("index"), NOW - 89_000.5, ("build-1",), INDEX, 3, children=(digest("child"), digest("other child"))
        ),
        Image(digest("signature"), NOW - 88_000, (), MANIFEST, 4, subject=digest("index"), artifact_type="a/b"),
        Image(digest("new"), NOW - 80_000, ("build-2", "latest"), MANIFEST, 5),
        Image(digest("archived"), NOW - 99_000, ("old",), INDEX, 6, Status.ARCHIVED, children=()),
    ]
    inventory = Inventory(REPOSITORY, NOW, {image.digest: image for image in images}, NOW + 1.5)
    policy = original_policy({"build": 1}, delete_untagged=True, grace=0.0)
    here = Origin("ecs", "123456789012", "us-east-1")
    return file_of(
        planned(inventory, policy, heeds_pulls=True, canary=2, max_failures=3),
        planned(replace(inventory, images={}), policy, "empty"),
        asked=planfile.Asked(
            sources=("ecs",),
            every=False,
            revisions=3,
            accounts=("210987654321",),
            organization=False,
            role="reader",
            external_id="x",
            session_tags={"tool": "gc"},
            regions=("us-east-1",),
            kubernetes=planfile.Clusters(("prod",), None, in_cluster=True),
            lists=(planfile.Listing(planfile.ListKind.URL, ("https://example.com/list",)),),
        ),
        seen=InUse(
            NOW + 2.25, {}, (here,), (Unread(Origin("kubernetes", name="prod"), "no route"),), Reach(revisions=3)
        ),
        allow_unread=("kubernetes@prod",),
    )


@st.composite
def plan_files(draw: st.DrawFn) -> PlanFile:
    """Plans of up to three generated repositories, each under a generated policy."""
    count = draw(st.integers(0, 3))
    repositories = [planned(draw(inventories), draw(policies), f"ci/{number}") for number in range(count)]
    return file_of(*repositories)
