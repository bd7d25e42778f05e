"""A registry that is open while it is needed: many wait for others, and a client takes memory and connections."""

from collections.abc import Callable, Sequence
from threading import Lock

from aws_ecr_gc.ports import CacheRule, CreationTemplate, DeleteReplication, LifecyclePort, RegistryPort, RepositoryPort
from aws_ecr_gc.reference import Registry


class Reopening:
    """Opened by whoever asks first, and again by whoever asks after a rest. Implements `ports.RegistryPort`.

    For all threads. Beside its own errors, every method raises those of the opening.
    """

    def __init__(self, registry: Registry, opening: Callable[[], RegistryPort]) -> None:
        self.registry = registry
        self._opening = opening
        self._lock = Lock()
        self._open: RegistryPort | None = None

    def opened(self) -> RegistryPort:
        """The registry, open."""
        with self._lock:
            if self._open is None:
                self._open = self._opening()
            return self._open

    def rest(self) -> None:
        """Let go of it until somebody asks again."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def close(self) -> None:
        self.rest()

    def names(self, patterns: Sequence[str]) -> list[str]:
        return self.opened().names(patterns)

    def repository(self, name: str) -> RepositoryPort:
        return self.opened().repository(name)

    def lifecycle(self, name: str) -> LifecyclePort:
        return self.opened().lifecycle(name)

    def resource_tags(self, name: str) -> dict[str, str]:
        return self.opened().resource_tags(name)

    def delete_replication(self) -> Sequence[DeleteReplication]:
        return self.opened().delete_replication()

    def caches(self) -> Sequence[CacheRule]:
        return self.opened().caches()

    def templates(self) -> Sequence[CreationTemplate]:
        return self.opened().templates()
