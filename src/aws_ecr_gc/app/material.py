"""What a plan is made of: a repository as it was read, its policy, the time to decide as at."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from aws_ecr_gc.apply import Terms
from aws_ecr_gc.inventory import Inventory
from aws_ecr_gc.plan import Leftover, Plan
from aws_ecr_gc.policy import Policy, indexes_to_read, make_plan
from aws_ecr_gc.reference import Repository
from aws_ecr_gc.usage import Use


class Material(Struct, frozen=True):
    """All but what is in use, so that a plan can be made again when that is known anew. `now` is in epoch seconds."""

    inventory: Inventory
    policy: Policy
    now: float
    left_over: tuple[Leftover, ...]

    @property
    def repository(self) -> Repository:
        return self.inventory.repository

    @property
    def terms(self) -> Terms:
        """How a plan of it is to be carried out."""
        inventory, policy = self.inventory, self.policy
        return Terms(
            pulled_since=inventory.read_until if policy.goes_by_pulls else None,
            canary=policy.guards.canary,
            max_failures=policy.guards.max_failures,
        )

    def plan(self, uses: Sequence[Use] = ()) -> Plan:
        """The plan where these uses are all there are of the repository's images."""
        return make_plan(self.inventory, self.policy, self.now, self.left_over, uses)


def gather(
    policy: Policy,
    read: Callable[[Callable[[Inventory], Sequence[str]]], Inventory],
    leftovers: Callable[[Repository], tuple[Leftover, ...]],
    at: float | None = None,
) -> Material:
    """Read a repository, with the children of the indexes that a plan needs. Without `at`, its own time counts.

    `read` is given a function that tells which indexes are needed.
    """
    left_over: tuple[Leftover, ...] = ()

    def needed(inventory: Inventory) -> Sequence[str]:
        nonlocal left_over
        if not policy.asks_for_nothing:
            left_over = leftovers(inventory.repository)
        return indexes_to_read(inventory, policy, inventory.taken_at if at is None else at, left_over)

    inventory = read(needed)
    return Material(inventory, policy, inventory.taken_at if at is None else at, left_over)
