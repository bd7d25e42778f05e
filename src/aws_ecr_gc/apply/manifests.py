"""The manifests at hand: of what is deleted for the record, and of what loses a tag to put it back."""

from collections.abc import Sequence

from aws_ecr_gc.errors import Error
from aws_ecr_gc.inventory import Status
from aws_ecr_gc.plan import Action, Step
from aws_ecr_gc.ports import Recorder, RepositoryPort


class Manifests:
    """Those of the steps that were read for last, by digest."""

    def __init__(self, port: RepositoryPort, recorder: Recorder | None) -> None:
        self._port = port
        self._recorder = recorder
        self.at_hand: dict[str, bytes] = {}

    def wanted(self, steps: Sequence[Step]) -> list[str]:
        """Of which images one is to be read: they were not before."""
        if not steps or steps[0].action is Action.ARCHIVE:
            return []
        if steps[0].action is Action.UNTAG:
            return [step.digest for step in steps if step.digest not in self.at_hand]
        readable = [step.digest for step in steps if step.status is Status.ACTIVE]
        return [] if self._recorder is None else self._recorder.wants(readable)

    def read(self, steps: Sequence[Step]) -> list[str]:
        """Read what is wanted, and keep of the others what belongs to these steps; what was read."""
        wanted = self.wanted(steps)
        known = {step.digest: self.at_hand[step.digest] for step in steps if step.digest in self.at_hand}
        self.at_hand = known | self._content_of(wanted)
        return wanted

    def _content_of(self, digests: list[str]) -> dict[str, bytes]:
        if not digests:
            return {}
        try:
            return self._port.manifests(digests)
        except Error as error:
            if self._recorder is None:
                raise
            self._recorder.unread(error)
            return {}
