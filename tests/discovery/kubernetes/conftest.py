"""The stand-in, and the ways to it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_ecr_gc.usage import Origin, Use
from tests.discovery.kubernetes.standin import Standin

Kubeconfig = Callable[..., str]

ORIGIN = Origin("kubernetes", name="prod")


@pytest.fixture
def standin() -> Iterator[Standin]:
    """An API server with nothing in it."""
    with Standin() as running:
        yield running


@pytest.fixture
def kubeconfig(tmp_path: Path, standin: Standin) -> Kubeconfig:
    """Writes a kubeconfig with a context for each name, each a user and a cluster; gives its path.

    Without any, there is a context `prod` of the stand-in.
    """

    def write(user: dict[str, Any] | None = None, **servers: str | dict[str, Any]) -> str:
        clusters = {
            name: {"server": each} if isinstance(each, str) else each
            for name, each in (servers or {"prod": standin.url}).items()
        }
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": next(iter(clusters)),
            "clusters": [{"name": name, "cluster": each} for name, each in clusters.items()],
            "users": [{"name": "gc", "user": user or {"token": "of-the-kubeconfig"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "gc"}} for name in clusters],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(document))
        return str(path)

    return write


def seen(uses: Iterator[Use], prefix: str = "prod/shop/") -> set[tuple[str, str, bool]]:
    """Workload, image and whether it is current; `prefix` is what all workloads begin with."""
    found = list(uses)
    assert all(use.workload.startswith(prefix) for use in found)
    return {(use.workload.removeprefix(prefix), str(use.reference), use.current) for use in found}
