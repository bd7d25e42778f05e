"""The simulator agrees with the stand-in's naive evaluator, evaluation by evaluation, under every reading.

The two share nothing but the documentation. A bounded number of cases here, 10,000 and more with `make test-full`;
AWS_ECR_GC_LIFECYCLE_CASES sets another.
"""

import os
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from aws_ecr_gc.lifecycle.values import Action
from tests.conftest import FULL
from tests.lifecycle.cases import Reading, policies, readings, repositories
from tests.lifecycle.worlds import ARCHIVE, DAY, Spec, play, policy_of, rule, simulated, text_of

_CASES = int(os.environ.get("AWS_ECR_GC_LIFECYCLE_CASES") or (12_000 if FULL else 300))
_ACTIONS = {"expire": Action.EXPIRE, "archive": Action.TRANSITION}

Happened = tuple[str, Action, int | None, int]


@settings(max_examples=_CASES)
@given(policies(), repositories(), readings(), st.integers(0, 4))
def test_what_the_simulator_foretells_happens_in_the_stand_in(
    rules: list[dict[str, Any]], specs: list[Spec], reading: Reading, days: int
) -> None:
    _demand_agreement(rules, specs, reading, days)


@st.composite
def _by_way_of_the_archive(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A rule that archives, and one that lets expire what has been archived for long."""
    selected = draw(st.sampled_from(["any", "untagged", ["prod*"], ["*-1"]]))
    count, number = draw(st.sampled_from(["more", "pushed", "pulled"])), draw(st.sampled_from([1, 2, 3, 6]))
    expiring = draw(st.sampled_from(["any", "untagged", ["*-1"]]))
    return [
        rule(1, selected, count, number, action=ARCHIVE),
        rule(2, expiring, "archived", draw(st.sampled_from([90, 100]))),
    ]


@settings(max_examples=max(20, _CASES // 20))
@given(_by_way_of_the_archive(), repositories(), readings(), st.sampled_from([90, 91, 101, 121]))
def test_what_goes_to_the_archive_expires_from_it_in_both(
    rules: list[dict[str, Any]], specs: list[Spec], reading: Reading, days: int
) -> None:
    _demand_agreement(rules, specs, reading, days)


def _demand_agreement(rules: list[dict[str, Any]], specs: list[Spec], reading: Reading, days: int) -> None:
    behaviour, switches = reading
    played = play(specs, text_of(*rules), behaviour)
    simulation = simulated(played, policy_of(*rules), days, *switches)
    both = simulation.archived & simulation.gone
    event("expires from the archive after it was archived" if both else "nothing goes both ways")
    played.world.clock.advance((days + 1.5) * DAY)  # the last evaluation, and not the one after
    followed = played.world.lifecycles
    seen = [each for each in followed.actions if each.failure is None]
    if behaviour.lifecycle_settles:
        expected = [each for each in simulation.events if each.at <= played.due + days * DAY]
    else:
        expected = [each for each in simulation.events if each.at < played.due + (days + 1) * DAY]
    happened: list[Happened] = [(each.digest, _ACTIONS[each.action], each.rule, round(each.at)) for each in seen]
    foretold: list[Happened] = [(each.digest, each.action, each.priority, round(each.at)) for each in expected]
    assert [each for each in happened if each[2]] == [each for each in foretold if each[2]]
    assert {each for each in happened if not each[2]} == {each for each in foretold if not each[2]}
    failed: dict[tuple[str, Action], list[float]] = {}
    for each in followed.actions:
        if each.failure is not None:
            failed.setdefault((each.digest, _ACTIONS[each.action]), []).append(round(each.at))
    assert failed == {
        (each.digest, each.action): failed.get((each.digest, each.action)) for each in simulation.failures
    }
    assert [(len(times), times[0], times[-1]) for times in failed.values()] == [
        (each.times, round(each.first), round(each.last)) for each in simulation.failures
    ]
