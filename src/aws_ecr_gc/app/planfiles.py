"""From the plans of a command to a plan file, and from there to what can be asked again."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import __version__, planfile
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.protection import Protected
from aws_ecr_gc.aws.accounts import Place
from aws_ecr_gc.config import OriginalFlags, Request
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import Misuse, one_line
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.report import planfiles, uses
from aws_ecr_gc.report.plans import Guarded


class _Made(Struct, frozen=True):
    made: Protected
    refused: tuple[planfile.Refusal, ...]

    @property
    def plan(self) -> Plan:
        return self.made.plan


class Draft:
    """The plans of a run as they come, until they are written to a file."""

    def __init__(self, path: Path, request: Request, policies: Policies, now: float, *, asked: Settings | None) -> None:
        """`asked` is what `apply` is to ask for what is in use. Raises Misuse for what can't be a file."""
        if path.is_dir():
            raise Misuse(f"--out {one_line(path)}: is a directory; name a file")
        self._path = path
        self._request = request
        self._policies = policies
        self._now = now
        self._asked = asked
        self._made: list[_Made] = []

    def add(self, made: Protected, refused: Sequence[Guarded]) -> None:
        """One more plan, and the guards that refuse it."""
        parts = tuple(planfile.Refusal(each.guard, each.detail, each.way_round) for each in refused)
        self._made.append(_Made(made, parts))

    def write(self, console: Console) -> None:
        """Write what has a plan, and say so; no file where nothing has. Raises OutputLost."""
        path = one_line(self._path)
        if not self._made:
            earlier = "; what is there is of an earlier plan" if self._path.exists() else ""
            console.say(f"no plan was written to {path}, for no repository could be planned{earlier}")
            return
        file = self._file()
        planfile.save(self._path, file)
        console.say(f"Plan written to {path}: {planfiles.total(file)}")

    def _file(self) -> planfile.PlanFile:
        registry = self._registry()
        return planfile.PlanFile(
            tool=f"aws-ecr-gc {__version__}",
            made_at=self._now,
            registry=registry,
            policy=self._source(),
            repositories=tuple(_planned(each, registry) for each in self._made),
            asked=asked_of(self._asked),
            seen=self._made[-1].made.in_use,
            allow_unread=self._request.allow_unread,
        )

    def _registry(self) -> Registry:
        """The one of all plans: an empty repository alone does not tell its account."""
        found = [each.plan.repository.registry for each in self._made]
        return next((registry for registry in found if registry.account is not None), found[0])

    def _source(self) -> planfile.PolicySource:
        stated = self._request.policy
        if isinstance(stated, OriginalFlags):
            return planfile.PolicySource(flags=planfile.Flags(stated.keep, stated.delete_untagged, stated.grace))
        return planfile.PolicySource(tuple(map(str, self._policies.files)), self._policies.sha256)


class Drafts:
    """Those of several places: a file for each in a directory, written when the place has been told."""

    def __init__(
        self,
        out: Path,
        request: Request,
        policies: Policies,
        now: float,
        *,
        asked: Settings | None,
        one: bool,
    ) -> None:
        """With `one`, there is one place, and `out` is its file. `asked` is as of `Draft`.

        Raises Misuse for what can't be a directory, or a file.
        """
        self._out = out
        self._one = one
        self._begin = partial(Draft, request=request, policies=policies, now=now, asked=asked)
        self._open: dict[Place, Draft] = {}
        if one:
            self._begin(out)
            return
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "is a file" if out.is_file() else one_line(error.strerror or error)
            raise Misuse(
                f"--out {one_line(out)}: {reason}; with several accounts or regions, name a directory"
            ) from error

    def add(self, place: Place, made: Protected, refused: Sequence[Guarded]) -> None:
        """One more plan of a place."""
        if place not in self._open:
            self._open[place] = self._begin(self._path(place))
        self._open[place].add(made, refused)

    def write(self, place: Place, console: Console) -> None:
        """Write what has a plan there, and say so; of a place that has none, a file of an earlier plan stays, and that
        is said. Raises OutputLost.
        """
        draft = self._open.pop(place, None)
        if draft is not None or self._one or self._path(place).exists():
            (draft or self._begin(self._path(place))).write(console)

    def _path(self, place: Place) -> Path:
        return self._out if self._one else self._out / f"{place.account}-{place.region}.json"


def _planned(each: _Made, registry: Registry) -> planfile.PlannedRepository:
    made = each.made
    policy, inventory = made.material.policy, made.material.inventory
    repository = Repository(registry, each.plan.repository.name)
    return planfile.PlannedRepository(
        replace(each.plan, repository=repository),
        replace(inventory, repository=repository),
        policy.name,
        heeds_pulls=policy.goes_by_pulls,
        canary=policy.guards.canary,
        max_failures=policy.guards.max_failures,
        refused=each.refused,
        broken=tuple(map(uses.broken_text, made.broken)),
    )


def asked_of(settings: Settings | None) -> planfile.Asked | None:
    """What is to be asked for what is in use, as a part of a plan file."""
    return msgspec.convert(msgspec.to_builtins(settings), planfile.Asked | None)


def settings_of(asked: planfile.Asked | None) -> Settings | None:
    """The same as it is asked."""
    return msgspec.convert(msgspec.to_builtins(asked), Settings | None)
