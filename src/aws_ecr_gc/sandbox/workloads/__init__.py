"""What runs in an account and a region of the stand-in, and the images that it was started from.

Usable directly, without the API in between. Like the registry's, these methods obey no rule of the API, so that any
state can be made.
"""

from threading import RLock

from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.partitions import partition_of
from aws_ecr_gc.sandbox.workloads.ecs import Ecs
from aws_ecr_gc.sandbox.workloads.functions import Functions
from aws_ecr_gc.sandbox.workloads.resolving import Registries
from aws_ecr_gc.sandbox.workloads.site import Site


class Workloads:
    """The clusters, task definitions and functions of one account in one region."""

    def __init__(self, account: str, region: str, clock: Clock, lock: RLock, registries: Registries) -> None:
        site = Site(account, region, partition_of(region).name, clock, lock, registries)
        self.ecs = Ecs(site)
        self.functions = Functions(site)
