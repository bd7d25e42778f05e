"""What is asked of the stand-in itself, over HTTP, beside the APIs that it stands in for: its clock.

GET  /_sandbox/clock                 what time it is
POST /_sandbox/clock?advance=30d     put it forward; what lifecycle policies did meanwhile
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aws_ecr_gc.sandbox.exchange import Answer, Arrival
from aws_ecr_gc.sandbox.moments import DURATION, seconds_in
from aws_ecr_gc.sandbox.world import World

PREFIX = "/_sandbox/"
_CLOCK = f"{PREFIX}clock"


def answer(world: World, arrival: Arrival) -> Answer:
    """Carry out what is asked; 404 for what there is not, 400 for what is no duration."""
    parts = urlsplit(arrival.path)
    if parts.path != _CLOCK:
        return _said(404, {"error": f"there is {_CLOCK} alone"})
    if arrival.method == "GET":
        return _said(200, {"now": world.clock.now()})
    stated = parse_qs(parts.query).get("advance", [""])[0]
    if not re.fullmatch(DURATION, stated):
        return _said(400, {"error": f"advance={stated!r} is no duration, such as 30d or 36h"})
    before = len(world.lifecycles.actions)
    world.clock.advance(seconds_in(stated))
    actions = [action._asdict() for action in world.lifecycles.actions[before:]]
    return _said(200, {"now": world.clock.now(), "lifecycle": actions})


def _said(status: int, content: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(content).encode(), "rest-json")
