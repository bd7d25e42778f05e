"""The decisions of a plan, made out one by one."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Protocol, overload

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Decision, Decisions


class Decided(Protocol):
    """What has decided about every image, and can say why. Everything is newest image first."""

    @property
    def images(self) -> Sequence[Image]: ...
    def __len__(self) -> int: ...
    def decisions(self) -> Iterator[Decision]: ...
    def staying(self) -> tuple[Counter[str], Iterator[Decision]]: ...
    def decisions_on(self, digests: Container[str]) -> Iterator[Decision]: ...
    def beyond_rules(self) -> Iterator[Decision]: ...


class MadeOut(Decisions):
    """Each is made out when it is looked at: a million of them at once would fill the memory."""

    def __init__(self, verdicts: Decided) -> None:
        self._verdicts = verdicts

    def __len__(self) -> int:
        return len(self._verdicts)

    def __iter__(self) -> Iterator[Decision]:
        return self._verdicts.decisions()

    def beyond_rules(self) -> Iterator[Decision]:
        return self._verdicts.beyond_rules()

    def staying(self) -> tuple[Counter[str], Iterator[Decision]]:
        return self._verdicts.staying()

    def of(self, digests: Container[str]) -> Iterator[Decision]:
        return self._verdicts.decisions_on(digests)

    def images(self) -> Iterator[Image]:
        return iter(self._verdicts.images)

    @overload
    def __getitem__(self, at: int) -> Decision: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Decision, ...]: ...
    def __getitem__(self, at: int | slice) -> Decision | tuple[Decision, ...]:
        return tuple(self)[at]
