"""Policies that no repository can reach, because earlier ones of the same file take all that they are for.

What is said is true beyond doubt; not all that is true is said, for globs can overlap in more ways than are looked at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from aws_ecr_gc import globs
from aws_ecr_gc.policyfile.mistakes import Mistake
from aws_ecr_gc.policyfile.spots import Spot

_MOST_OTHERS = 100
"""How many globs are looked at one by one: a file can hold so many that all pairs of them would take hours."""


class _Taken:
    """The globs of which earlier policies take every repository, each with its policy.

    A `*` that stands over a part of another glob's own text stands over whatever that part can match; so a glob of
    letters and `*` covers another one if it matches its text.
    """

    def __init__(self) -> None:
        self._same: dict[str, Spot] = {}
        self._beginnings: dict[str, Spot] = {}
        self._others: list[tuple[Callable[[str], object], Spot]] = []

    def add(self, included: Iterable[str], policy: Spot) -> None:
        """Note what a policy takes."""
        for glob in included:
            self._same.setdefault(glob, policy)
            beginning = glob.removesuffix("*")
            if "?" in glob or "[" in glob or "*" not in glob:
                continue
            if "*" not in beginning:
                self._beginnings.setdefault(beginning, policy)
            elif len(self._others) < _MOST_OTHERS:
                self._others.append((globs.matcher([glob]), policy))

    def policy_for(self, glob: str) -> Spot | None:
        """An earlier policy that takes all of a glob."""
        if glob in self._same:
            return self._same[glob]
        literal = len(glob.partition("[")[0])
        for length in range(literal + 1):
            if glob[:length] in self._beginnings:
                return self._beginnings[glob[:length]]
        if literal < len(glob):  # a letter within brackets may stand for another one
            return None
        return next((policy for matches, policy in self._others if matches(glob)), None)


def reach_mistakes(policies: Sequence[Spot]) -> Iterator[Mistake]:
    """One for each policy out of reach."""
    taken = _Taken()
    for policy in policies:
        included = _included(policy)
        if included is None:
            continue
        takers = [taken.policy_for(glob) for glob in included]
        earlier = sorted({_called(taker) for taker in takers if taker is not None})
        if None not in takers:
            takes = "takes" if len(earlier) == 1 else "take"
            reason = f"no repository gets here: {' and '.join(earlier)} {takes} all of them"
            yield policy.mistake(reason, "move it further up, or narrow with exclude what takes them")
        if not _makes_exceptions(policy):
            taken.add(included, policy)


def _called(policy: Spot) -> str:
    return f"policies[{policy.path[-1]}] in line {policy.node.place.line}"


def _included(policy: Spot) -> list[str] | None:
    """The globs of what a policy is for; None where its selector is unsound."""
    if policy.node.members is None:
        return None
    selector = policy.at("repositories")
    if selector is None:
        return ["*"]
    if not selector.is_sound:
        return None
    return [each.text for each in selector.texts("include")] or ["*"]


def _makes_exceptions(policy: Spot) -> bool:
    selector = policy.at("repositories")
    return selector is not None and any(selector.at(key) is not None for key in ("exclude", "resource_tags"))
