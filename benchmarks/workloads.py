"""An account full of workloads, in the stand-in, in a process of its own.

Run as a module: benchmarks.workloads SERVICES CLUSTERS VERSIONS LATENCY. It prints its URL, and for each line that it
is sent what it has seen, as JSON. One cluster after the other gets a service, each of a family of its own and with one
task; functions have $LATEST and published versions.
"""

import json
import sys

from aws_ecr_gc.sandbox import Faults, Sandbox
from aws_ecr_gc.sandbox.workloads import Workloads
from benchmarks.in_use import VERSIONS_OF_A_FUNCTION


def main(services: int, clusters: int, versions: int, latency: float) -> None:
    with Sandbox() as sandbox:
        _fill(sandbox.workloads(), services, clusters, versions)
        sandbox.faults = Faults(latency=latency)
        print(sandbox.url, flush=True)
        for _ in sys.stdin:
            calls = [f"{call.service}:{call.operation}" for call in sandbox.calls]
            failed = sum(call.status != 200 for call in sandbox.calls)
            print(json.dumps({"calls": calls, "failed": failed, "most": sandbox.most_at_once}), flush=True)


def _fill(workloads: Workloads, services: int, clusters: int, versions: int) -> None:
    names = [f"cluster-{number}" for number in range(clusters)]
    for name in names:
        workloads.ecs.create_cluster(name)
    for number in range(services):
        definition = workloads.ecs.register(f"service-{number}", f"app:build-{number}")
        workloads.ecs.clusters[names[number % clusters]].create_service(f"service-{number}", definition.name)
    for number in range(versions // VERSIONS_OF_A_FUNCTION):
        function = workloads.functions.create(f"function-{number}", f"app:build-{number}")
        for _ in range(VERSIONS_OF_A_FUNCTION - 1):
            function.publish()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
