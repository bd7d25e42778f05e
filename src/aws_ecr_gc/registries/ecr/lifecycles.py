"""The lifecycle policy of one repository of Amazon ECR, and its previews."""

from collections.abc import Mapping
from typing import Any

from aws_ecr_gc.aws.client import Client
from aws_ecr_gc.errors import AwsFailure, Unintelligible
from aws_ecr_gc.ports import KeptPolicy, Preview, Previewed
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.registries.ecr.listings import walk
from aws_ecr_gc.registries.ecr.repository import repository_not_found

_PAGE = 100
"""The most rows that ECR gives of a preview in one page."""


class EcrLifecycle:
    """Implements `ports.LifecyclePort`. `address` is as for `EcrRepository`."""

    def __init__(self, client: Client, repository: Repository, address: Mapping[str, str]) -> None:
        self._client = client
        self._repository = repository
        self._address = {"repositoryName": repository.name, **address}

    def policy(self) -> KeptPolicy | None:
        try:
            answer = self._call("GetLifecyclePolicy", "lifecyclePolicyText")
        except AwsFailure as error:
            if error.code != "LifecyclePolicyNotFoundException":
                raise
            return None
        evaluated = answer.get("lastEvaluatedAt")
        try:
            evaluated_at = 0.0 if evaluated is None else float(evaluated.timestamp())
        except (AttributeError, ValueError, OverflowError) as error:
            raise Unintelligible(f"GetLifecyclePolicy: lastEvaluatedAt is no time: {error!r}") from error
        return KeptPolicy(str(answer["lifecyclePolicyText"]), evaluated_at or None)

    def put(self, text: str) -> None:
        self._call("PutLifecyclePolicy", "lifecyclePolicyText", lifecyclePolicyText=text)

    def remove(self) -> None:
        self._call("DeleteLifecyclePolicy", "lifecyclePolicyText")

    def start_preview(self, text: str | None) -> bool:
        stated = {} if text is None else {"lifecyclePolicyText": text}
        try:
            self._call("StartLifecyclePolicyPreview", "status", **stated)
        except AwsFailure as error:
            if error.code != "LifecyclePolicyPreviewInProgressException":
                raise
            return False
        return True

    def preview(self) -> Preview:
        status, text = "", ""
        rows: list[Any] = []
        for answer in walk("GetLifecyclePolicyPreview", self._ask_for_preview, _PAGE):
            if status and answer["status"] != status:
                raise Unintelligible(f"GetLifecyclePolicyPreview: {status} on one page, and then {answer['status']}")
            status, text = str(answer["status"]), str(answer.get("lifecyclePolicyText", ""))
            rows += answer.get("previewResults") or ()
        try:
            return Preview(status, text, tuple(map(_previewed, rows)))
        except (KeyError, TypeError, ValueError) as error:
            message = f"GetLifecyclePolicyPreview: an image that can't be understood: {error!r}"
            raise Unintelligible(message) from error

    def _ask_for_preview(self, **paging: object) -> dict[str, Any]:
        return self._call("GetLifecyclePolicyPreview", "status", **paging)

    def _call(self, operation: str, member: str, **parameters: object) -> dict[str, Any]:
        try:
            return self._client.call(operation, member, **self._address, **parameters)
        except AwsFailure as error:
            if error.code != "RepositoryNotFoundException":
                raise
            raise repository_not_found(self._repository.name, self._repository.registry, error.code) from error


def _previewed(row: dict[str, Any]) -> Previewed:
    tags, action = tuple(row.get("imageTags") or ()), row["action"]["type"]
    return Previewed(row["imageDigest"], tags, action, int(row["appliedRulePriority"]))
