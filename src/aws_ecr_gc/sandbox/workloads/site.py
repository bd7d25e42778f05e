"""Where workloads are: what their stores need besides themselves."""

from threading import RLock
from typing import NamedTuple

from aws_ecr_gc.sandbox.clock import Clock
from aws_ecr_gc.sandbox.workloads.resolving import Registries, resolve


class Site(NamedTuple):
    """An account and a region. `lock` is held while something changes."""

    account: str
    region: str
    partition: str
    clock: Clock
    lock: RLock
    registries: Registries

    def arn(self, service: str, resource: str) -> str:
        """`arn:<partition>:<service>:<region>:<account>:<resource>`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def uri(self, image: str) -> str:
        """`app:v1` in the site's own registry; a name that has a registry stays as it is."""
        host, slash, _ = image.partition("/")
        if slash and ("." in host or ":" in host):
            return image
        return f"{self.registries(self.account, self.region).host}/{image}"

    def resolve(self, image: str) -> str | None:
        """The digest that an image means now, or None."""
        return resolve(self.registries, image)
