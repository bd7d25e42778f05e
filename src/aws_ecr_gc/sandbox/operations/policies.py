"""Put-, Get- and DeleteLifecyclePolicy. Policies are checked and kept, not executed."""

from aws_ecr_gc.sandbox.errors import ServiceError
from aws_ecr_gc.sandbox.lifecycle import normalised
from aws_ecr_gc.sandbox.store import Repository
from aws_ecr_gc.sandbox.world import Caller, Members

NEVER_EVALUATED = 0.0


def put_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """Keep a policy if it is valid."""
    repository = caller.repository(request)
    repository.settings.lifecycle_policy = normalised(request["lifecyclePolicyText"])
    return _answer(repository, repository.settings.lifecycle_policy)


def get_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """The policy, with its rules in the order of their priority."""
    repository = caller.repository(request)
    return {**_answer(repository, _policy_of(repository)), "lastEvaluatedAt": NEVER_EVALUATED}


def delete_lifecycle_policy(caller: Caller, request: Members) -> Members:
    """Forget the policy."""
    repository = caller.repository(request)
    text = _policy_of(repository)
    repository.settings.lifecycle_policy = None
    return {**_answer(repository, text), "lastEvaluatedAt": NEVER_EVALUATED}


def _policy_of(repository: Repository) -> str:
    if repository.settings.lifecycle_policy is None:
        raise ServiceError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.registry.account}'",
        )
    return repository.settings.lifecycle_policy


def _answer(repository: Repository, text: str) -> Members:
    return {
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
    }
