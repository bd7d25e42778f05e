"""Looking at images as they are now."""

from collections.abc import Iterable, Sequence

from aws_ecr_gc.errors import ImageNotFound, Unintelligible
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.ports import RepositoryPort


def present(port: RepositoryPort, digests: Sequence[str]) -> list[Image]:
    """The images that exist. A call that names a vanished one fails whole: drop it, or halve until it is found."""
    while digests:
        try:
            return _whole(port.describe(digests), digests)
        except ImageNotFound as error:
            if error.digest in digests:
                digests = [digest for digest in digests if digest != error.digest]
            elif len(digests) == 1:
                return []
            else:
                middle = len(digests) // 2
                return present(port, digests[:middle]) + present(port, digests[middle:])
    return []


def _whole(images: list[Image], digests: Sequence[str]) -> list[Image]:
    """The same images. Raises Unintelligible if one is left out: only `ImageNotFound` says that it is gone."""
    if {image.digest for image in images} != set(digests):
        raise Unintelligible("DescribeImages: the answer leaves out an image without saying that it is gone")
    return images


def listed(tags: Iterable[str]) -> str:
    """Tags for people."""
    return f"[{', '.join(sorted(tags))}]"
