"""Further repositories of one plan, that are worked on at the same time, and the laws that hold for them."""

import random
from collections.abc import Iterable
from typing import Any

from aws_ecr_gc.journal import Recorded
from aws_ecr_gc.plan import Result
from aws_ecr_gc.planfile import PlannedRepository
from aws_ecr_gc.sandbox import Deletion, Sandbox
from tests.wire.builder import Builder


class Neighbours:
    """None to three repositories of some images; others set tags there too."""

    def __init__(self, draw: random.Random, sandbox: Sandbox) -> None:
        self._draw = draw
        self._sandbox = sandbox
        names = [f"near-{number}" for number in range(draw.choice([0, 1, 2, 3]))]
        self._builders = {name: self._filled(name) for name in names}
        self._planned: dict[str, dict[str, set[str]]] = {}
        self._late: set[tuple[str, str]] = set()
        self._touched: set[tuple[str, str]] = set()
        self._deleted: list[Deletion] = []

    def _filled(self, name: str) -> Builder:
        builder = Builder(self._sandbox, name)
        for number in range(self._draw.randint(2, 7)):
            there = list(builder.digests)
            tags = [f"{self._draw.choice(['build', 'release', 'other'])}-{number}"] if self._draw.random() < 0.8 else []
            if there and self._draw.random() < 0.3:
                children = self._draw.sample(there, min(2, len(there)))
                builder.index(f"{name} {number}", *tags, children=children)
            else:
                builder.image(f"{name} {number}", *tags)
        return builder

    @property
    def words(self) -> list[str]:
        """The flags that bring them into the plan."""
        return ["--repo", "near-*"] if self._builders else []

    def plan(self, planned: Iterable[PlannedRepository]) -> None:
        """Note what is planned for them."""
        self._planned = {
            each.plan.repository.name: {step.digest: set(step.tags) for step in each.plan.steps} for each in planned
        }
        assert self._planned.keys() <= self._builders.keys()

    def plant(self) -> None:
        """Let others strike while the plan is carried out."""
        before = [call.operation for call in self._sandbox.calls]
        for _ in range(self._draw.choice([0, 1, 3])):
            operation = self._draw.choice(["DescribeImages", "BatchDeleteImage", "BatchGetImage"])
            plant = self._draw.choice([self._sandbox.before, self._sandbox.after])
            plant(operation, self._strike, call=before.count(operation) + self._draw.randint(1, 8))

    def _strike(self, request: dict[str, Any]) -> None:
        """Somebody sets a new tag there."""
        name = self._draw.choice([str(request["repositoryName"]), *self._builders])
        builder = self._builders.get(name)
        if builder is None or not builder.repository.images:
            return
        digest = self._draw.choice(sorted(builder.repository.images))
        tag = f"build-late-{len(self._late)}"
        self._late.add((name, tag))
        self._touched.add((name, digest))
        builder.repository.tag(tag, digest)

    def check(self, deletions: Iterable[Deletion], journals: Iterable[Recorded]) -> None:
        """Nothing outside the plan went, no index lost a child, and all that went was on record before."""
        new = [each for each in deletions if each.repository in self._builders]
        self._deleted += new
        for each in new:
            planned = self._planned.get(each.repository, {})
            assert each.digest in planned, f"{each} was not planned"
            late = {tag for name, tag in self._late if name == each.repository}
            lost = {each.tag} if each.tag else set(each.tags)
            assert lost <= planned[each.digest] | late, f"{each} lost tags that were not planned"
        for builder in self._builders.values():
            there = builder.repository.images
            gone = {each.digest for each in self._deleted if each.repository == builder.repository.name}
            for image in there.values():
                assert not set(image.children) & (gone - there.keys()), f"{image.digest} lost a child"
        announced = {
            (name, digest)
            for recorded in journals
            for name, of_it in recorded.repositories.items()
            for digest in of_it.attempted
        }
        for each in self._deleted:
            assert (each.repository, each.digest) in announced, f"{each} was not on record"

    def are_settled(self, recorded: Recorded) -> None:
        """What the journal says is done is done."""
        for name in recorded.repositories.keys() & self._builders.keys():
            for digest, outcome in recorded.repositories[name].outcomes.items():
                if outcome.result is Result.DONE and digest in self._builders[name].repository.images:
                    assert (name, digest) in self._touched, f"{name}: {digest} is said to be gone"
