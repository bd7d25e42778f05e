"""`policy show`: the effective policy of a repository."""

from collections.abc import Mapping

from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.policies import policies_of
from aws_ecr_gc.app.sources import open_source
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit, Misuse
from aws_ecr_gc.policyfile import dump


def show(request: Request, repository: str, *, now: float, console: Console) -> Exit:
    """Print it as a policy file. AWS is asked only where the policy depends on resource tags."""

    def tags() -> Mapping[str, str]:
        with open_source(request, now, console) as source:
            return source.resource_tags(repository)

    policies = policies_of(request)
    policy = policies.policy_for(repository, tags)
    if policy is None:
        raise Misuse(f"repository {repository}: no policy fits it, so it is left alone")
    console.print([f"# {repository}: {policy.name}", *dump(policy, repository, policies.in_use).splitlines()])
    return Exit.DONE
