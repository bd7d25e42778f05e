"""What a source reads with: AWS's calls in one account and region, paginated, concurrent, at a polite pace."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Unintelligible, one_line
from aws_ecr_gc.reference import Reference, mentions_unread, reference_of, references_in
from aws_ecr_gc.usage import Origin, Use

__all__ = ["Calls", "Memory", "Place", "Reader", "batches", "references_of", "strings", "use_of"]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Calls(Protocol):
    """One service's API in one place; `aws.Client` at a pace. Both raise `errors.AwsFailure`."""

    def call(self, operation: str, answer: str, **parameters: object) -> dict[str, Any]:
        """As `aws.Client.call`."""

    def pages(self, operation: str, answer: str, **parameters: object) -> Iterator[list[Any]]:
        """As `aws.Client.pages`."""

    def presign(self, operation: str, *, headers: Mapping[str, str], seconds: int) -> str:
        """As `aws.Client.presign`."""


class Memory:
    """What never changes and so needs to be read only once, whatever the number of readings. Safe between threads."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def get(self, key: Hashable, read: Callable[[], _Result]) -> _Result:
        """What is known under a key, or what `read` gives, known from then on. Two may read the same at one time."""
        if key not in self._known:
            self._known[key] = read()
        found: _Result = self._known[key]
        return found


class Reader:
    """One source in one place.

    A source is a generator of uses: it makes its calls stage by stage, each stage concurrently by `each`, and lets
    every error through. What it yields before an error is not used.
    """

    def __init__(
        self,
        origin: Origin,
        place: Place,
        settings: Settings,
        *,
        calls: Callable[[str], Calls],
        pool: Executor,
        memory: Memory,
    ) -> None:
        self.origin = origin
        self.place = place
        self.settings = settings
        self._calls = calls
        self._pool = pool
        self._memory = memory

    def service(self, name: str) -> Calls:
        """A service's API by botocore's name."""
        return self._calls(name)

    def rows(self, service: str, operation: str, answer: str, **parameters: object) -> list[Any]:
        """All rows of an operation's answers, from the first page to the last."""
        pages = self.service(service).pages(operation, answer, **parameters)
        return [row for page in pages for row in page]

    def each(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """The function's result for each item, in order, as many at a time as there are workers.

        Raises the first error. The function itself must not call `each`: it would wait for workers that wait for it.
        """
        waiting = [self._pool.submit(function, item) for item in items]
        try:
            return [each.result() for each in waiting]
        finally:
            for each in waiting:
                each.cancel()

    def remembered(self, key: Hashable, read: Callable[[], _Result]) -> _Result:
        """What AWS never changes under this key, such as a revision of a task definition: read once, then known."""
        return self._memory.get((self.origin.source, self.place, key), read)

    def use(self, image: object, workload: str, *, digest: object = None, current: bool = True) -> Iterator[Use]:
        """The use of an image by a workload, if the image is of a private ECR registry: see `use_of`."""
        yield from use_of(image, workload, self.origin, digest=digest, current=current)


def use_of(
    image: object, workload: str, origin: Origin, *, digest: object = None, current: bool = True
) -> Iterator[Use]:
    """The use of an image by a workload: none where it is not of a private ECR registry.

    `digest` is what the consumer recorded besides. Raises Unintelligible for what names an ECR registry and can't be
    understood: not knowing which image is used is not the same as none. A reference within a longer text, such as a
    mirror's, is protected but may be missing.
    """
    if not image:
        return
    text = str(image)
    try:
        reference = reference_of(text.strip())
    except ValueError as error:
        if mentions_unread(text):
            raise Unintelligible(f"{workload}: an image that can't be understood: {error}") from error
        reference = None
    if reference is None:
        yield from (Use(each, workload, origin, current=False) for each in references_in(text))
        return
    digest = _digest(digest, workload)
    if not digest:
        yield Use(reference, workload, origin, current)
    elif reference.digest is None:
        recorded = Reference(reference.repository, reference.tag or "latest", digest)
        yield Use(recorded, workload, origin, current)
    else:
        yield Use(reference, workload, origin, current)
        if digest != reference.digest:
            yield Use(Reference(reference.repository, None, digest), workload, origin, current)


def _digest(recorded: object, workload: str) -> str | None:
    """A digest as ECR writes it. Raises Unintelligible for what is none."""
    if not recorded:
        return None
    text = str(recorded).strip().lower()
    if not _DIGEST.fullmatch(text):
        raise Unintelligible(f"{workload}: its image was recorded with what is no digest: {one_line(recorded)}")
    return text


def references_of(text: str) -> Iterator[Reference]:
    """The references of a text that may be one as a whole, or hold some."""
    try:
        whole = reference_of(text.strip())
    except ValueError:
        whole = None
    if whole is not None:
        yield whole
    else:
        yield from references_in(text)


def batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """The items in lists of at most this size."""
    batch: list[_Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def strings(value: object) -> Iterator[str]:
    """Every string anywhere in a JSON value, keys aside."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, Mapping):
            waiting.extend(current.values())
        elif isinstance(current, (list, tuple)):
            waiting.extend(current)
