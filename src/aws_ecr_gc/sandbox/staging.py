"""Builds a world from a scenario. Manifests are made up from the descriptions: the same ones for the same names."""

import json
import math
import re
from collections.abc import Iterator
from copy import copy
from functools import partial
from typing import Any

from msgspec.structs import replace

from aws_ecr_gc.sandbox import manifests
from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.errors import ScenarioError, ServiceError
from aws_ecr_gc.sandbox.lifecycle import normalised
from aws_ecr_gc.sandbox.manifests import Descriptor, Platform
from aws_ecr_gc.sandbox.moments import epoch_seconds, seconds_in
from aws_ecr_gc.sandbox.operations.image_ids import TAG_PATTERN
from aws_ecr_gc.sandbox.paging import Listings
from aws_ecr_gc.sandbox.scenario import ImageEntry, ReplicationEntry, RepositoryEntry, Scenario
from aws_ecr_gc.sandbox.store import Repository, Settings
from aws_ecr_gc.sandbox.validation import input_check
from aws_ecr_gc.sandbox.workload_entries import WorkloadsEntry
from aws_ecr_gc.sandbox.workload_staging import add_workloads
from aws_ecr_gc.sandbox.world import World

DEFAULT_SIZE = 10_000_000
FIRST_PUSH_SECONDS = 30 * 86400.0
SECONDS_BETWEEN_PUSHES = 60.0
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x", "linux/ppc64le", "windows/amd64")
ARCHITECTURES = frozenset({"amd64", "arm64", "arm", "386", "s390x", "ppc64le", "riscv64"})


class Stage:
    """A world, and what the scenario calls its images. Raises ScenarioError, with the place in the document."""

    def __init__(self, scenario: Scenario) -> None:
        clock = Clock(None if scenario.now is None else epoch_seconds(scenario.now))
        self.world = World(
            clock=clock,
            behaviour=replace(scenario.behaviour),
            accounts=dict(scenario.accounts),
            listings=Listings(scenario.behaviour.longest_page),
        )
        self._now = clock.now() if scenario.now is None else epoch_seconds(scenario.now)
        self._digests: dict[Repository, dict[str, str]] = {}
        for number, entry in enumerate(scenario.repositories):
            self._add_repository(entry, f"$.repositories[{number}]")
        for number, rule in enumerate(scenario.replication):
            rules = self.world.replication.setdefault((rule.account, rule.region), [])
            rules.append(_replication_rule(rule, f"$.replication[{number}]"))
        for number, running in enumerate(scenario.workloads):
            workloads = self.world.workloads(running.account, running.region)
            add_workloads(workloads, running, partial(self._named, running), f"$.workloads[{number}]")
        self.world.lifecycles.notice(self._now)

    def digest(self, repository: Repository, name: str, path: str) -> str:
        """What an image is called by: its name in the scenario, or a digest, which need not exist."""
        if name.startswith("sha256:"):
            return name
        digest = self._digests.setdefault(repository, {}).get(name)
        if digest is None:
            raise ScenarioError(f"no image {name} is listed before in repository {repository.name} - at `{path}`")
        return digest

    def _named(self, entry: WorkloadsEntry, image: str, path: str) -> str:
        """The image as workloads name it: in a scenario, `app@a` may stand for the digest of the image `a` of `app`."""
        written, _, name = image.partition("@")
        if not name or name.startswith("sha256:"):
            return image
        repository = self.world.registry(entry.account, entry.region).repositories.get(written)
        if repository is None:
            raise ScenarioError(f"there is no repository {written} - at `{path}`")
        return f"{written}@{self.digest(repository, name, path)}"

    def push(self, repository: Repository, entry: ImageEntry, default_time: float, now: float, path: str) -> float:
        """Push what an entry describes; returns the push time of the last image of it."""
        stated = entry.pushed_at or entry.age
        pushed_at = epoch_seconds(stated, now) if stated else default_time
        every = seconds_in(entry.every) if entry.every else SECONDS_BETWEEN_PUSHES
        # A time that nobody stated is never in the future.
        limit = math.inf if stated or entry.every else now
        known = self._digests.setdefault(repository, {})
        for number, single in enumerate(_singles(entry, len(known), path)):
            if single.name in known:
                raise ScenarioError(f"there are two images {single.name} in {repository.name} - at `{path}.name`")
            last = min(pushed_at + number * every, limit)
            known[single.name or ""] = self._push_single(repository, single, last, now, path)
        return last

    def _add_repository(self, entry: RepositoryEntry, path: str) -> None:
        registry = self.world.registry(entry.account, entry.region)
        if entry.name in registry.repositories:
            raise ScenarioError(f"there are two repositories {entry.name} - at `{path}.name`")
        settings = _settings(entry, path)
        time = self._now - FIRST_PUSH_SECONDS
        repository = registry.create_repository(entry.name, settings, created_at=time)
        for number, image in enumerate(entry.images):
            last = self.push(repository, image, time, self._now, f"{path}.images[{number}]")
            time = min(last + SECONDS_BETWEEN_PUSHES, self._now)

    def _push_single(self, repository: Repository, entry: ImageEntry, pushed_at: float, now: float, path: str) -> str:
        media_type = entry.media_type or (manifests.OCI_INDEX if entry.children else manifests.OCI_IMAGE)
        pulled_at = None if entry.pulled_at == "never" else epoch_seconds(entry.pulled_at, now)
        manifest = self._manifest(repository, entry, media_type, path)
        digest = repository.put(manifest, media_type, pushed_at=pushed_at, pulled_at=pulled_at)
        for tag in entry.tags:
            if not re.fullmatch(TAG_PATTERN, tag):
                raise ScenarioError(f"no tag of ECR's: {tag} - at `{path}.tags`")
            repository.tag(tag, digest)
        self._set_status(repository, digest, entry, now)
        return digest

    def _manifest(self, repository: Repository, entry: ImageEntry, media_type: str, path: str) -> bytes:
        name = entry.name or ""
        children = [
            replace(self._descriptor(repository, child, f"{path}.children[{number}]"), platform=platform)
            for number, (child, platform) in enumerate(zip(entry.children, _platforms(entry), strict=True))
        ]
        if entry.layers is None:
            layers = [manifests.layer(name, DEFAULT_SIZE if entry.size is None else entry.size, media_type)]
        else:
            layers = [manifests.layer(layer.name, layer.size, media_type) for layer in entry.layers]
        return manifests.write(
            name,
            media_type,
            layers=layers,
            children=children,
            artifact_type=entry.artifact_type,
            subject=self._descriptor(repository, entry.subject, f"{path}.subject") if entry.subject else None,
        )

    def _descriptor(self, repository: Repository, name: str, path: str) -> Descriptor:
        digest = self.digest(repository, name, path)
        image = repository.images.get(digest)
        if image is None:
            return Descriptor(manifests.OCI_IMAGE, digest)
        return Descriptor(image.media_type, digest, len(image.manifest))

    def _set_status(self, repository: Repository, digest: str, entry: ImageEntry, now: float) -> None:
        if entry.status == "ACTIVE" and not entry.archived_at and not entry.activated_at:
            return
        default = None if entry.status == "ACTIVE" else now
        activation_seconds = self.world.behaviour.activation_seconds
        repository.change(
            digest,
            status=entry.status,
            archived_at=epoch_seconds(entry.archived_at, now) if entry.archived_at else default,
            activated_at=epoch_seconds(entry.activated_at, now) if entry.activated_at else None,
            activates_at=now + activation_seconds if entry.status == "ACTIVATING" else None,
        )


def _singles(entry: ImageEntry, position: int, path: str) -> Iterator[ImageEntry]:
    """The entry itself, or each of its repetitions; all of them with a name."""
    name = entry.name or f"image-{position}"
    numbered = name if "{" in name else f"{name}-{{n}}"
    for n in range(entry.repeat or 1):
        single = copy(entry)
        if entry.repeat is None:
            single.name = name
        else:
            _number(single, numbered, n, path)
        yield single


def _number(entry: ImageEntry, name: str, n: int, path: str) -> None:
    try:
        entry.name = name.format(n=n)
        entry.tags = [tag.format(n=n) for tag in entry.tags]
        entry.children = [child.format(n=n) for child in entry.children]
        entry.subject = entry.subject.format(n=n) if entry.subject else None
    except (AttributeError, LookupError, ValueError) as error:
        raise ScenarioError(f"a name or tag is no format of n: {error!r} - at `{path}`") from error


def _platforms(entry: ImageEntry) -> list[Platform]:
    """What the children run on: as stated, or as the ends of their names say, or by their place in the list."""
    stated = entry.platforms or [
        f"linux/{end}" if (end := child.rsplit("-", 1)[-1]) in ARCHITECTURES else PLATFORMS[place % len(PLATFORMS)]
        for place, child in enumerate(entry.children)
    ]
    parts = [(*platform.split("/"), "", "")[:3] for platform in stated]
    return [Platform(os, architecture, variant or None) for os, architecture, variant in parts]


def _settings(entry: RepositoryEntry, path: str) -> Settings:
    policy = None if entry.lifecycle_policy is None else json.dumps(entry.lifecycle_policy)
    try:
        filters = [{"filterType": "WILDCARD", "filter": each} for each in entry.exclusion_filters]
        request: dict[str, Any] = {"repositoryName": entry.name}
        if filters:
            request["imageTagMutabilityExclusionFilters"] = filters
        input_check("CreateRepository")("", request)
        kept_policy = None if policy is None else normalised(policy)
    except ServiceError as error:
        raise ScenarioError(f"{error.message} - at `{path}`") from error
    return Settings(
        tag_mutability=entry.tag_mutability,
        exclusion_filters=list(entry.exclusion_filters),
        resource_tags=dict(entry.resource_tags),
        missing_layers=frozenset(entry.missing_layers),
        lifecycle_policy=kept_policy,
    )


def _replication_rule(entry: ReplicationEntry, path: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "destinations": [{"region": each.region, "registryId": each.account} for each in entry.destinations]
    }
    if entry.prefixes:
        rule["repositoryFilters"] = [{"filter": each, "filterType": "PREFIX_MATCH"} for each in entry.prefixes]
    if entry.deletes:
        rule["deleteReplication"] = {"enabled": True}
    try:
        input_check("PutReplicationConfiguration")("", {"replicationConfiguration": {"rules": [rule]}})
    except ServiceError as error:
        raise ScenarioError(f"{error.message} - at `{path}`") from error
    return rule
