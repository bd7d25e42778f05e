"""Repositories and workloads that hold their images in every way there is, generated together."""

import random
from collections.abc import Callable
from typing import Any

from aws_ecr_gc.sandbox import Image, Sandbox
from aws_ecr_gc.sandbox.workloads.ecs import Cluster
from tests.wire.builder import Builder

_PREFIXES = ("build", "build", "build", "build", "release", "other")
_KINDS = ("image", "image", "image", "image", "index", "index", "referrer")


class World:
    """A sandbox full of images, and of workloads that were started from some of them, a while ago or just now."""

    def __init__(self, draw: random.Random, sandbox: Sandbox, names: list[str]) -> None:
        self._draw = draw
        self._number = 0
        self.workloads = sandbox.workloads()
        self.builders = {name: Builder(sandbox, name) for name in names}
        self.doomed: list[tuple[str, str]] = []
        """(repository, digest) of what is most in danger: changes prefer it."""
        self._taken: set[str] = set()
        self.moved: set[tuple[str, str]] = set()
        """(repository, tag) of the tags that were moved or added since `moved` was last emptied."""
        for builder in self.builders.values():
            self._fill(builder)
        self.clusters = [
            self.workloads.ecs.create_cluster(f"cluster-{number}") for number in range(draw.choice([1, 1, 2, 3]))
        ]
        for _ in range(draw.randint(6, 10) * len(names)):
            draw.choice(self._ways())()
        self.moved.clear()

    # --- images ----------------------------------------------------------------------------------------------------

    def _fill(self, builder: Builder) -> None:
        draw = self._draw
        for _ in range(draw.randint(25, 45)):
            names = list(builder.digests)
            kind = draw.choice(_KINDS) if names else "image"
            name, tags = self._new("image"), self._tags(draw.choice([0, 0, 1, 1, 1, 2]))
            if kind == "index":
                builder.index(name, *tags, children=draw.sample(names[-4:], min(len(names), draw.randint(1, 3))))
            else:
                builder.image(name, *tags, subject=draw.choice(names) if kind == "referrer" else None)

    def _new(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def _tags(self, count: int) -> list[str]:
        return [self._new(self._draw.choice(_PREFIXES)) for _ in range(count)]

    def _builder(self) -> Builder:
        return self.builders[self._draw.choice(list(self.builders))]

    def tagged(self) -> str:
        """An image by one of its tags."""
        repository = self._builder().repository
        return f"{repository.name}:{self._draw.choice(sorted(repository.tags) or ['none'])}"

    def pinned(self) -> str:
        """An image by its digest: any kind, children of indexes more often than others."""
        repository = self._builder().repository
        images = sorted(repository.images.values(), key=lambda image: image.digest)
        listed = sorted({child for image in images for child in image.children if child in repository.images})
        digests = [image.digest for image in images]
        return f"{repository.name}@{self._draw.choice(self._draw.choice([listed or digests, digests]))}"

    def any_image(self) -> str:
        """An image by tag or digest: if it is known, one that is about to be deleted."""
        if self.doomed and self._draw.random() < 0.8:
            name, digest = self._draw.choice(self.doomed)
            image = self.builders[name].repository.images.get(digest)
            if image is not None:
                return self._named(name, image)
        if self._draw.random() < 0.7:
            return self._untaken()
        return self._draw.choice([self.tagged, self.tagged, self.pinned])()

    def _untaken(self) -> str:
        """An image that nothing was made of yet, so that it is one workload alone that it stays for."""
        builder = self._builder()
        images = sorted(builder.repository.images.values(), key=lambda image: image.digest)
        free = [image for image in images if image.digest not in self._taken]
        image = self._draw.choice(free or images)
        self._taken.add(image.digest)
        return self._named(builder.repository.name, image)

    def _named(self, repository: str, image: Image) -> str:
        by_tag = image.tags and self._draw.random() < 0.6
        return f"{repository}:{image.tags[0]}" if by_tag else f"{repository}@{image.digest}"

    # --- workloads -------------------------------------------------------------------------------------------------

    def _ways(self) -> list[Callable[[], None]]:
        return [
            self.deploy_service,
            self.deploy_service,
            self._deploy_twice,
            self._idle_service,
            self._task_set,
            self._task,
            self._family,
            self._family,
            self.create_function,
            self.create_function,
            self._function_with_versions,
        ]

    def _cluster(self) -> Cluster:
        return self._draw.choice(self.clusters)

    def _definition(self, image: str) -> str:
        return self.workloads.ecs.register(self._new("family"), image).name

    def _and_then(self, image: str, definition: str | None = None) -> None:
        """What happens after something was started: its tag moves on, its definition is given up."""
        draw = self._draw
        repository, _, tag = image.partition(":")
        if "@" not in image and draw.random() < 0.6:
            builder = self.builders[repository]
            self._move(builder, tag, draw.choice(sorted(builder.repository.images)))
        if definition is not None and draw.random() < 0.6:
            self.workloads.ecs.definitions.deregister(definition)

    def _move(self, builder: Builder, tag: str, digest: str) -> None:
        self.moved.add((builder.repository.name, tag))
        builder.repository.tag(tag, digest)

    def deploy_service(self) -> None:
        """A new service, with its digests recorded."""
        image = self.any_image()
        definition = self._definition(image)
        self._cluster().create_service(self._new("service"), definition, self._draw.choice([1, 1, 2]))
        self._and_then(image, definition)

    def _deploy_twice(self) -> None:
        """What was deployed before is what a rollback brings back; its tasks have been forgotten."""
        old, new = self.any_image(), self.any_image()
        first, second = self._definition(old), self._definition(new)
        service = self._cluster().create_service(self._new("service"), first)
        for task in service.tasks():
            task.stopped_at = 1.0
        self._and_then(old, first)
        service.deploy(second)
        self._and_then(new, second)

    def _idle_service(self) -> None:
        """No digest was ever recorded: what it starts with is what its tag will point at."""
        image = self.any_image()
        definition = self._definition(image)
        self._cluster().create_service(self._new("service"), definition, 0)
        if self._draw.random() < 0.7:
            self.workloads.ecs.definitions.deregister(definition)

    def _task_set(self) -> None:
        image = self.any_image()
        definition = self._definition(image)
        service = self._cluster().create_service(self._new("service"))
        service.add_task_set(definition, self._draw.choice([0, 0, 1]))
        self._and_then(image, definition)

    def _task(self) -> None:
        image = self.any_image()
        definition = self._definition(image)
        task = self._cluster().run_task(definition)
        if self._draw.random() < 0.4:
            task.stop()
        self._and_then(image, definition)

    def _family(self) -> None:
        """Revisions that nothing runs; some of them count all the same."""
        family = self._new("family")
        names = [self.workloads.ecs.register(family, self.any_image()).name for _ in range(self._draw.randint(2, 5))]
        for name in names:
            if self._draw.random() < 0.3:
                self.workloads.ecs.definitions.deregister(name)

    def create_function(self) -> None:
        """A new function, with the digest of its image resolved."""
        image = self.any_image()
        self.workloads.functions.create(self._new("function"), image)
        self._and_then(image)

    def _function_with_versions(self) -> None:
        image = self.any_image()
        function = self.workloads.functions.create(self._new("function"), image)
        self._and_then(image)
        for _ in range(self._draw.randint(1, 3)):
            function.publish()
            function.update(self.any_image())

    # --- what happens while the collector works ----------------------------------------------------------------------

    def change(self) -> None:
        """Somebody deploys, publishes, pushes or tags something."""
        draw = self._draw
        draw.choice([self.deploy_service, self.deploy_service, self._redeploy, self._task, self._tag, self._push])()

    def change_functions(self) -> None:
        """Somebody publishes a version or creates a function."""
        functions = list(self.workloads.functions.by_name.values())
        if functions and self._draw.random() < 0.6:
            function = self._draw.choice(functions)
            function.update(self.any_image())
            function.publish()
        else:
            self.create_function()

    def update_latest(self, request: dict[str, Any]) -> None:
        """Right after $LATEST of a function was read, it gets another image."""
        function = self.workloads.functions.by_name.get(request["FunctionName"])
        if function is not None and request.get("Qualifier") == "$LATEST":
            function.update(self.any_image())

    def _redeploy(self) -> None:
        """A service that is there already is told to run something else."""
        services = [each for cluster in self.clusters for each in cluster.services.values() if each.revisions]
        if services:
            self._draw.choice(services).deploy(self._definition(self.any_image()), desired=1)

    def _tag(self) -> None:
        """A tag is moved, or a new one given, and what is there then is deployed."""
        builder = self._builder()
        there = sorted(builder.repository.images)
        if there:
            tags = sorted(builder.repository.tags) if self._draw.random() < 0.5 else []
            tag = self._draw.choice(tags or self._tags(1))
            self._move(builder, tag, self._draw.choice(there))
            if self._draw.random() < 0.7:
                self._cluster().create_service(
                    self._new("service"), self._definition(f"{builder.repository.name}:{tag}")
                )

    def _push(self) -> None:
        """An image or an index is pushed, and deployed."""
        builder = self._builder()
        names, tags = sorted(builder.names()), self._tags(1)
        if names and self._draw.random() < 0.6:
            builder.index(self._new("late"), *tags, children=self._draw.sample(names, min(2, len(names))))
        else:
            builder.image(self._new("late"), *tags)
        self.moved.add((builder.repository.name, tags[0]))
        self._cluster().create_service(
            self._new("service"), self._definition(f"{builder.repository.name}:{tags[0]}"), self._draw.choice([0, 1])
        )
