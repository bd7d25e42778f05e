"""One repository on its way from its name to a plan, and on to the end of that."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from aws_ecr_gc.app.console import Aside
from aws_ecr_gc.app.protection import Protected
from aws_ecr_gc.app.site import Site
from aws_ecr_gc.errors import Error, Exit
from aws_ecr_gc.plan import Plan
from aws_ecr_gc.report import plans
from aws_ecr_gc.report.parts import encoded
from aws_ecr_gc.report.spool import Spool, Stretch

if TYPE_CHECKING:
    from aws_ecr_gc.app.material import Material
    from aws_ecr_gc.usage import InUse


class Ended(Struct, frozen=True):
    """How the carrying out of a plan ended: what is left to know of it once it is told.

    `deletions` is for standard error; `done`, `skipped` and `failed` are numbers of images. `tried` says whether
    anything was to be deleted, `called` whether a deletion was called for. `exit` holds if one was called for here or
    elsewhere, `alone` if none was.
    """

    deletions: str
    done: int
    skipped: int
    failed: int
    tried: bool
    called: bool
    interrupted: bool
    exit: Exit
    alone: Exit


class Mark(Enum):
    """Where the repositories of a place begin, and where they end."""

    BEGIN = 1
    END = 2


class Passage:
    """A repository, worked on by one thread at a time; what is said of it waits in `aside` for its turn.

    Once it has ended, `forget` lets go of what takes memory: counts and what is to be printed are left.
    """

    def __init__(
        self,
        number: int,
        site: Site,
        name: str,
        aside: Aside,
        *,
        spool: Spool,
        mark: Mark | None = None,
    ) -> None:
        """With a `mark` it is no repository, and nothing is done with it."""
        self._spool = spool
        self.mark = mark
        self.number = number
        self.site = site
        self.name = name
        self.aside = aside
        self.is_counted = False
        """Whether its plan is in the sums of the report."""
        self.left_alone = False
        self.unread: str | None = None
        self.failure: Error | None = None
        """What went wrong, and concerns more than this repository."""
        self.material: Material | None = None
        self.made: Protected | None = None
        self.is_written_up = False
        """Whether what will be told of its plan is there."""
        self.refused: list[plans.Guarded] = []
        self.part: plans.RepositoryPlan | None = None
        self._kept: Stretch | None = None
        self.sum = plans.Sum()
        self.images = 0
        self.taken_at: float | None = None
        self.in_use: InUse | None = None
        self.ended: Ended | None = None
        self.not_reached = False
        """Whether its plan was to be carried out, and the work ended before."""
        self.is_over = False
        self._before: Passage | None = None

    def after(self, before: "Passage | None") -> None:
        """Note which one comes before it in the same registry."""
        self._before = before

    def is_next(self) -> bool:
        """Whether all those before it in the same registry are over."""
        while self._before is not None and self._before.is_over:
            self._before = self._before._before  # noqa: SLF001 - one of its own kind
        return self._before is None

    def keep(self, made: Protected) -> None:
        """Note the plan, and what will be told of it."""
        self.material, self.made = None, made
        self.sum.add(made.plan)
        self.images = made.plan.active
        self.taken_at, self.in_use = made.plan.taken_at, made.in_use

    @property
    def plan(self) -> Plan | None:
        return None if self.made is None else self.made.plan

    def forget(self) -> None:
        """Let go of images and decisions; what is to be printed goes out of memory. Raises OutputLost."""
        if self.part is not None:
            self._kept = self._spool.add(encoded(self.part).splitlines())
        self.material = self.made = self.part = None

    @property
    def has_document(self) -> bool:
        return self._kept is not None

    def document(self) -> Iterator[bytes]:
        """What is to be printed of it in a document, line by line, once it was let go of."""
        return iter(()) if self._kept is None else self._spool.lines(self._kept)
