"""`explain`: the decision on one image, and every vote that led to it."""

from collections.abc import Collection

from msgspec import Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.material import Material
from aws_ecr_gc.app.plan import protection_for, time_of
from aws_ecr_gc.app.policies import policies_of
from aws_ecr_gc.app.sources import open_source
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit, Misuse
from aws_ecr_gc.inventory import Image, unread_indexes
from aws_ecr_gc.policy.explaining import explain
from aws_ecr_gc.policy.turning import changes
from aws_ecr_gc.report import document, explanations


class Subject(Struct, frozen=True):
    """What is to be explained: a repository, and a tag or (the beginning of) a digest."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def explain_image(request: Request, subject: Subject, *, now: float, console: Console) -> Exit:
    """Explain one image. Raises Misuse for an unknown one, and where no policy is for its repository."""
    policies = policies_of(request)
    with open_source(request, now, console) as source:
        protection = protection_for(request, policies, source, now, console)
        policy = policies.policy_for(subject.repository, lambda: source.resource_tags(subject.repository))
        inventory = source.inventory(subject.repository, unread_indexes)
        image = _find(subject, inventory.images.values())
        if policy is None:
            raise Misuse(f"repository {subject.repository}: no policy fits it, so it is left alone")
        left_over = source.leftovers(inventory.repository)
        material = Material(inventory, policy, time_of(source, inventory), left_over)
        in_use = protection.read([material])
        uses = () if in_use is None else in_use.in_repository(inventory.repository)
        explained = explain(inventory, policy, material.now, image.digest, left_over, uses=uses)
    turning = tuple(changes(explained, policy))
    if request.output == "json":
        part = explanations.part(inventory.repository, policy.name, explained, turning, f"aws-ecr-gc {__version__}")
        console.print([document.encode(part)])
    else:
        console.print(explanations.lines(str(subject), policy.name, explained, turning))
    return Exit.DONE


def _find(subject: Subject, images: Collection[Image]) -> Image:
    if subject.digest is not None:
        found = [image for image in images if image.digest.startswith(subject.digest)]
    else:
        found = [image for image in images if subject.tag in image.tags]
    if not found:
        raise Misuse(f"{subject}: no such image{_similar(subject, images)}")
    if len(found) > 1:
        raise Misuse(f"{subject}: {len(found)} images begin so; give more of the digest")
    return found[0]


def _similar(subject: Subject, images: Collection[Image]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where somebody mistyped

    tags = [tag for image in images for tag in image.tags]
    close = get_close_matches(subject.tag or "", tags, 3)
    return f"; did you mean {', '.join(close)}?" if close else "; the tags and digests of plan --output json are there"
