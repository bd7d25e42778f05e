"""Whatever is in a cluster, and however it is served: no image is lost, and nothing is made up."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.discovery.kubernetes.client import Answer
from aws_ecr_gc.discovery.kubernetes.workloads import read
from aws_ecr_gc.errors import Error
from tests.discovery.kubernetes.conftest import ORIGIN
from tests.discovery.kubernetes.manifests import (
    DIGESTS,
    Manifest,
    cron_job,
    daemon_set,
    deployment,
    image,
    job,
    patch,
    pod,
    pod_template,
    replica_set,
    replication_controller,
    revision,
    stateful_set,
)
from tests.discovery.kubernetes.standin import Reply, Request, Standin

_OWNERS = [
    None,
    ("Deployment", "o"),
    ("ReplicaSet", "o"),
    ("Job", "o"),
    ("CronJob", "o"),
    ("Rollout", "o"),
    ("DaemonSet", "o"),
]
_references = st.builds(
    lambda name, tag, digest: image(f"{name}{tag}{digest}"),
    st.sampled_from(["web", "team/app"]),
    st.sampled_from([":1", ":2", ":latest"]),
    st.sampled_from(["", f"@{DIGESTS['app']}"]),
)
_owners = st.sampled_from(_OWNERS)
_names = st.sampled_from(["a", "b", "o"])
_objects = st.one_of(
    *(
        st.builds(make, _names, _references)
        for make in (daemon_set, stateful_set, replication_controller, pod_template)
    ),
    st.builds(deployment, _names, _references, replicas=st.integers(0, 1)),
    st.builds(replica_set, _names, _references, owner=_owners, replicas=st.integers(0, 1)),
    st.builds(cron_job, _names, _references, suspend=st.booleans()),
    st.builds(job, _names, _references, owner=_owners, finished=st.sampled_from([None, "Complete", "Failed"])),
    st.builds(
        lambda name, number, reference, owner: revision(name, number, patch(reference), owner),
        _names,
        st.integers(1, 3),
        _references,
        st.sampled_from([("StatefulSet", "o"), ("DaemonSet", "o")]),
    ),
    st.builds(pod, _names, _references, owner=_owners, phase=st.sampled_from(["Running", "Succeeded", "Pending"])),
)


class Near:
    """The stand-in without a wire; the nth request of pods and of deployments finds its token too old, or fails."""

    host = "near"

    def __init__(self, manifests: list[Manifest], faults: Mapping[int, int]) -> None:
        self._standin = Standin()
        self._standin._server.server_close()
        self._standin.add(*manifests)
        for nth, status in faults.items():
            for plural in ("pods", "deployments"):
                if status == 410:
                    self._standin.expire(plural, nth=nth)
                else:
                    self._standin.spoil(plural, Reply(status, b"{}"), nth=nth)

    def get(self, path: str, query: dict[str, str] | None = None) -> Answer:
        """The stand-in's answer."""
        reply = self._standin.answer(Request(path, query or {}, None))
        return Answer(reply.status, reply.body)


def _asked(manifest: Manifest) -> str:
    """The one image of a manifest."""
    body = manifest.get("spec") or manifest.get("data", {}).get("spec") or manifest
    for name in ("jobTemplate", "spec", "template", "spec"):
        body = body.get(name, body)
    return str(body["containers"][0]["image"])


@given(st.lists(_objects, max_size=12), st.integers(1, 5))
def test_every_image_is_held_and_no_other(manifests: list[Manifest], page: int) -> None:
    uses = list(read(Near(manifests, {}), "prod", ORIGIN, page=page))
    assert {str(use.reference) for use in uses} == {_asked(manifest) for manifest in manifests}


@given(
    st.lists(_objects, max_size=12),
    st.integers(1, 3),
    st.dictionaries(st.integers(1, 4), st.sampled_from([410, 403, 404, 500]), max_size=2),
)
def test_with_faults_a_reading_is_whole_or_it_fails(
    manifests: list[Manifest], page: int, faults: dict[int, int]
) -> None:
    whole = set(read(Near(manifests, {}), "prod", ORIGIN, page=page))
    try:
        found = set(read(Near(manifests, faults), "prod", ORIGIN, page=page))
    except Error:
        assert faults
    else:
        assert found == whole


@pytest.mark.parametrize("make", [deployment, daemon_set, cron_job, pod])
def test_the_law_would_see_a_loss(make: Any) -> None:
    assert _asked(make("a", image("web:1"))) == image("web:1")
