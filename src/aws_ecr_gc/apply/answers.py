"""What the answer to one call says of each image."""

from collections.abc import Sequence

from aws_ecr_gc.ports import GONE, Answer, ImageId

_MOVED = "ImageTagDoesNotMatchDigest"


class OfImage:
    """What an answer says of one image: the tags that are gone, whether one was moved away, a refusal, silence."""

    def __init__(self, ids: set[ImageId]) -> None:
        self._unanswered = ids
        self.gone_tags: set[str] = set()
        self.moved = False
        self.refusal: tuple[str, str] | None = None

    @property
    def silent(self) -> bool:
        return bool(self._unanswered)

    def done(self, image_id: ImageId) -> None:
        self._unanswered.discard(image_id)
        if image_id.tag is not None:
            self.gone_tags.add(image_id.tag)

    def refused(self, image_id: ImageId, code: str, reason: str) -> None:
        self._unanswered.discard(image_id)
        if code == GONE:
            self.done(image_id)
        elif code == _MOVED:
            self.moved = True
        else:
            self.refusal = (code, reason)


def by_digest(ids: Sequence[ImageId], answer: Answer) -> dict[str, OfImage]:
    """The answer image by image, for those that were asked for."""
    sent: dict[str, set[ImageId]] = {}
    for image_id in ids:
        sent.setdefault(image_id.digest, set()).add(image_id)
    answers = {digest: OfImage(of_digest) for digest, of_digest in sent.items()}
    for image_id in answer.done:
        if image_id.digest in answers:
            answers[image_id.digest].done(image_id)
    for refusal in answer.refused:
        if refusal.id.digest in answers:
            answers[refusal.id.digest].refused(refusal.id, refusal.code, refusal.reason)
    return answers
