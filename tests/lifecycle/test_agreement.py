"""The simulator agrees with the stand-in's naive evaluator, evaluation by evaluation, under every reading.

The two share nothing but the documentation. A bounded number of cases here, 10,000 and more with `make test-full`;
AWS_ECR_GC_LIFECYCLE_CASES sets another.
"""

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ecr_gc.lifecycle.values import Action
from tests.conftest import FULL
from tests.lifecycle.cases import Reading, policies, readings, repositories
from tests.lifecycle.worlds import DAY, Spec, play, policy_of, simulated, text_of

_CASES = int(os.environ.get("AWS_ECR_GC_LIFECYCLE_CASES") or (12_000 if FULL else 300))
_ACTIONS = {"expire": Action.EXPIRE, "archive": Action.TRANSITION}

Happened = tuple[str, Action, int | None, int]


@settings(max_examples=_CASES)
@given(policies(), repositories(), readings(), st.integers(0, 4))
def test_what_the_simulator_foretells_happens_in_the_stand_in(
    rules: list[dict[str, Any]], specs: list[Spec], reading: Reading, days: int
) -> None:
    behaviour, switches = reading
    played = play(specs, text_of(*rules), behaviour)
    simulation = simulated(played, policy_of(*rules), days, *switches)
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
