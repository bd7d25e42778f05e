"""Archiving: ECR takes one image a call, so several calls are under way at once."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from threading import Event

from aws_ecr_gc.errors import Error, ImageNotFound, NotArchivable
from aws_ecr_gc.ports import Answer, ImageId, Refusal, RepositoryPort

AT_ONCE = 8

NOT_ARCHIVABLE = "ImageStorageClassUpdateNotSupported"
"""The code of the refusal; the first of an image is tried once more at the end."""


class _Result(Enum):
    DONE = auto()
    GONE = auto()
    NOT_ASKED = auto()


def archive(
    port: RepositoryPort, ids: Sequence[ImageId], stop: Callable[[], bool]
) -> tuple[Answer, Sequence[ImageId], Error | None]:
    """Archive images that do not wait for one another: the answer, those that were asked for, what went wrong.

    What is gone, and what nobody knows the end of, is not in the answer.

    After `stop`, or a call that failed after all its retries, no further one begins.
    """
    ended = Event()

    def one(image_id: ImageId) -> Refusal | Error | _Result:
        if ended.is_set() or stop():
            ended.set()
            return _Result.NOT_ASKED
        try:
            port.archive(image_id.digest)
        except ImageNotFound:
            return _Result.GONE
        except NotArchivable as refusal:
            return Refusal(image_id, NOT_ARCHIVABLE, str(refusal))
        except Error as error:
            ended.set()
            return error
        return _Result.DONE

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: most runs archive nothing

    with ThreadPoolExecutor(min(AT_ONCE, len(ids))) as pool:
        results = list(zip(ids, pool.map(one, ids), strict=True))
    asked = [image_id for image_id, result in results if result is not _Result.NOT_ASKED]
    done = tuple(image_id for image_id, result in results if result is _Result.DONE)
    errors = [result for _, result in results if isinstance(result, Error)]
    refused = tuple(result for _, result in results if isinstance(result, Refusal))
    return Answer(done, refused), asked, next(iter(errors), None)
