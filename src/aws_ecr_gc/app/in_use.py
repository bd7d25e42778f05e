"""`in-use`: which workload holds which image, and which image is not there."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from aws_ecr_gc import __version__, usesfile
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.sources import LiveSource, open_live
from aws_ecr_gc.app.workloads import Workloads
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.discovery.settings import Settings
from aws_ecr_gc.errors import AwsFailure, Exit, Misuse, worst
from aws_ecr_gc.globs import matcher
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.report import document, uses
from aws_ecr_gc.usage import InUse, Use, find


class Asked(Struct, frozen=True):
    """What to list: the sources, the globs of repositories (all without one), and in which form. `out` takes it all."""

    settings: Settings
    patterns: tuple[str, ...] = ()
    connection: Connection = Connection()
    directories: Directories = Directories()
    allow_unread: tuple[str, ...] = ()
    by: str = "image"
    output: str = "text"
    out: Path | None = None


def list_in_use(asked: Asked, *, now: float, console: Console) -> Exit:
    """List what is in use; exit 6 where an image of a current workload is missing. Raises WorkloadsUnread."""
    workloads = Workloads(asked.settings, asked.connection, asked.allow_unread, console, now=now)
    in_use = workloads.read()
    if asked.out is not None:
        usesfile.save(asked.out, in_use)
    account = asked.connection.registry_id or workloads.account()
    with open_live(asked.connection, Live(asked.directories, now, console)) as source:
        lister = _Lister(in_use, asked.patterns, source, account, console)
        listing = lister.listing()
    if asked.output == "json":
        console.print([document.encode(uses.part(listing, f"aws-ecr-gc {__version__}"))])
    else:
        console.print(uses.by_workload(listing) if asked.by == "workload" else uses.by_image(listing))
    exits = [Exit.FOUND] if listing.broken else []
    return worst([*exits, *([Exit.AWS] if lister.failed else [])])


class _Lister:
    """Uses and the images that they hold, repository by repository."""

    def __init__(
        self, in_use: InUse, patterns: Sequence[str], source: LiveSource, account: str, console: Console
    ) -> None:
        self._in_use = in_use
        self._fits = matcher(patterns) if patterns else lambda _: True
        self._source = source
        self._account = account
        self._console = console
        self.failed = False

    def listing(self) -> uses.Listing:
        """The listing; repositories of other registries are listed as the workloads name them."""
        found: list[uses.UsedRepository] = []
        for (account, region, name), of_it in sorted(self._in_use.uses.items(), key=lambda each: each[0][2]):
            if self._fits(name):
                images = self._images(account, region, name)
                found.append(_used(of_it, images))
        return uses.Listing(self._in_use, found)

    def _images(self, account: str | None, region: str, name: str) -> Mapping[str, Image] | None:
        """What the repository holds; None where it is not of this registry, or can't be read."""
        if (account, region) != (self._account, self._source.registry.registry.region):
            return None
        try:
            inventory = self._source.inventory(name, lambda _: ())
        except Misuse as error:
            if error.code == "RepositoryNotFoundException":
                return {}
            raise
        except AwsFailure as error:
            self._console.say(f"repository {name}: can't be read: {error}")
            self.failed = True
            return None
        return inventory.images


def _used(of_it: Sequence[Use], images: Mapping[str, Image] | None) -> uses.UsedRepository:
    repository = of_it[0].reference.repository
    if images is None:
        return uses.UsedRepository(repository, tuple(uses.UsedImage(None, each) for each in _by_reference(of_it)), ())
    found = find(images, of_it)
    held = tuple(uses.UsedImage(images[digest], tuple(each)) for digest, each in sorted(found.by_digest.items()))
    return uses.UsedRepository(repository, held, tuple(found.missing))


def _by_reference(of_it: Sequence[Use]) -> Iterator[tuple[Use, ...]]:
    together: dict[str, list[Use]] = {}
    for use in of_it:
        together.setdefault(str(use.reference), []).append(use)
    yield from map(tuple, together.values())
