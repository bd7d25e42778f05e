"""A stand-in for Amazon ECR, and for what runs its images, on loopback: for tests, demonstrations, rehearsals.

Names are loaded when they are first used, so that the command line can know of the sandbox without paying for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_ecr_gc.sandbox.behaviour import Behaviour
    from aws_ecr_gc.sandbox.clock import Clock
    from aws_ecr_gc.sandbox.errors import ScenarioError
    from aws_ecr_gc.sandbox.faults import Faults
    from aws_ecr_gc.sandbox.life import Call
    from aws_ecr_gc.sandbox.lifecycle_runs import LifecycleAction
    from aws_ecr_gc.sandbox.loading import bundled_scenario, load_scenario
    from aws_ecr_gc.sandbox.sandbox import Sandbox
    from aws_ecr_gc.sandbox.scenario import Scenario, scenario_schema
    from aws_ecr_gc.sandbox.store import Deletion, Image, Registry, Repository, Settings
    from aws_ecr_gc.sandbox.workloads import Workloads

__all__ = [
    "Behaviour",
    "Call",
    "Clock",
    "Deletion",
    "Faults",
    "Image",
    "LifecycleAction",
    "Registry",
    "Repository",
    "Sandbox",
    "Scenario",
    "ScenarioError",
    "Settings",
    "Workloads",
    "bundled_scenario",
    "load_scenario",
    "scenario_schema",
]

_MODULE_OF = {
    "Behaviour": "behaviour",
    "Call": "life",
    "Clock": "clock",
    "Deletion": "store",
    "Faults": "faults",
    "Image": "store",
    "LifecycleAction": "lifecycle_runs",
    "Registry": "store",
    "Repository": "store",
    "Sandbox": "sandbox",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "Settings": "store",
    "Workloads": "workloads",
    "bundled_scenario": "loading",
    "load_scenario": "loading",
    "scenario_schema": "scenario",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
