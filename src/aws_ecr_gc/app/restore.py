"""`restore`: put back what a journal says was deleted, or what a backup holds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from msgspec import Struct
from msgspec.structs import replace

from aws_ecr_gc import __version__, backup, journal
from aws_ecr_gc.app.apply import connection_to
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import s3_of
from aws_ecr_gc.app.losses import Part, archived_by, demand_manifests, is_in, parts_of, with_manifest
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import Connection
from aws_ecr_gc.errors import Error, Exit, Misuse, worst
from aws_ecr_gc.inventory import Image
from aws_ecr_gc.journal import Recorded
from aws_ecr_gc.ports import BATCH
from aws_ecr_gc.reference import Registry, Repository
from aws_ecr_gc.registries.ecr import EcrContents, EcrRegistry, registry_of
from aws_ecr_gc.report import document, restorations, text
from aws_ecr_gc.restore import Choice, Ended, Lost, Result, Work, in_order, put_back, with_relatives


class Asked(Struct, frozen=True):
    """What is to be put back: by a journal, or all of a repository that a backup holds; `images` choose among it."""

    journal: str | None = None
    source: str | None = None
    repository: str | None = None
    images: tuple[str, ...] = ()
    connection: Connection = Connection()
    dry_run: bool = False
    output: str = "text"


def restore(asked: Asked, *, console: Console) -> Exit:
    """Put images and tags back. Nothing is deleted, and no tag is taken from another image.

    Raises Misuse for what is no journal or no backup, and where nothing of it can be put back; and Elsewhere.
    """
    s3 = s3_of(asked.connection)
    place = None if asked.source is None else backup.place_of(asked.source, s3)
    if asked.journal is not None:
        recorded = _recorded(asked.journal, asked.connection)
        connection = connection_to(recorded.begin.registry, f"journal {recorded.name}", asked.connection)
        parts = parts_of(recorded, place)
        if (line := archived_by(recorded)) is not None:
            console.say(line)
    elif place is not None and asked.repository is not None:
        connection, parts = _of_backup(place, asked.repository, asked.connection)
    else:
        raise Misuse("restore: nothing to put back from; give a journal, or --from and --repo")
    if not parts:
        console.say("nothing was deleted, so there is nothing to put back")
        return Exit.DONE
    parts = list(_chosen(parts, asked.images))
    demand_manifests(parts)
    session = Session(connection.profile, connection.region)
    registry = registry_of(session, registry_id=connection.registry_id, endpoint_url=connection.endpoint_url)
    contents = EcrContents(session, connection.registry_id, connection.endpoint_url, connections=1)
    with closing(registry), closing(contents):
        return _Restoring(asked, registry, contents, console).out(parts)


def _recorded(stated: str, connection: Connection) -> Recorded:
    place, name = journal.journal_at(stated, s3_of(connection))
    recorded = journal.read(place, name)
    if place.is_under_way(name):
        raise Misuse(f"journal {recorded.name}: another process is at work with it; wait until it has ended")
    return recorded


def _of_backup(place: backup.Place, name: str, asked: Connection) -> tuple[Connection, list[Part]]:
    """All that a backup holds of one repository."""
    session = Session(asked.profile, asked.region)
    account = asked.registry_id
    if account is None:
        with closing(session.client("sts")) as client:
            account = str(client.call("GetCallerIdentity", "Account")["Account"])
    repository = Repository(Registry(account, session.region, session.partition), name)
    layout = place.layout(repository)
    index = layout.index()
    if index is None:
        raise Misuse(f"backup {layout.name}: there is none; check --from, --repo, --region and the credentials")
    try:
        listed = backup.listed_in(index)
    except ValueError as error:
        raise Misuse(f"backup {layout.name}: its index.json is none: {error}") from error
    lost: dict[str, Lost] = {}
    waiting = [Lost(each.digest, each.tags, each.tags, each.media_type, None) for each in listed]
    while waiting:
        image = with_manifest(waiting.pop(), layout)
        if image.digest not in lost:
            lost[image.digest] = image
            waiting += [Lost(child, (), (), None, None) for child in image.parts.children]
    # A child that the backup lacks was gone before it was made: whatever lists it says so.
    there = {digest: each for digest, each in lost.items() if each.manifest is not None}
    connection = replace(asked, region=session.region)
    return connection, [Part(repository, there, layout)] if there else []


def _chosen(parts: Sequence[Part], images: Sequence[str]) -> Iterator[Part]:
    """What is meant, with what it lists and what refers to it. Raises Misuse for an image that is not among it."""
    choices = [Choice.read(text) for text in images]
    for choice in choices:
        if not any(choice.means(part.repository.name, each) for part in parts for each in part.lost.values()):
            raise Misuse(
                f"--image {choice.text}: there is no such image among those that can be put back; "
                "leave out --image, with --dry-run, to list them"
            )
    for part in parts:
        if not choices:
            yield part
            continue
        means = [
            digest
            for digest, each in part.lost.items()
            if any(choice.means(part.repository.name, each) for choice in choices)
        ]
        if means:
            yield replace(part, lost=with_relatives(means, part.lost))


class _FromLayout:
    """Layers out of a backup."""

    def __init__(self, layout: backup.Layout) -> None:
        self._layout = layout

    def has(self, digest: str) -> bool:
        return is_in(self._layout, digest)

    def content(self, digest: str) -> Iterator[bytes]:
        return self._layout.read(digest)


class _Restoring:
    """One restore, repository by repository."""

    def __init__(self, asked: Asked, registry: EcrRegistry, contents: EcrContents, console: Console) -> None:
        self._asked = asked
        self._registry = registry
        self._contents = contents
        self._console = console
        self._parts: list[restorations.RestoredRepository] = []
        self._interrupted = False

    def out(self, parts: Sequence[Part]) -> Exit:
        exits = []
        for part in parts:
            if self._interrupted:
                self._console.say(f"repository {part.repository.name}: not reached; run it again to finish")
                continue
            work = self._one(part)
            self._interrupted = work.interrupted
            exits.append(_exit_of(work))
            self._report(part, work)
        self._end()
        return worst(exits)

    def _one(self, part: Part) -> Work:
        name = part.repository.name
        total = len(part.lost)
        try:
            pages = self._registry.repository(name).pages()
            there = {image.digest: image for page in pages for image in page}
            lost = self._with_manifests_there(part, there)
        except Error as error:
            return Work({}, error, interrupted=False)
        not_back = {digest: why for digest, why in part.not_back.items() if digest in lost and digest not in there}
        work = put_back(
            in_order({digest: each for digest, each in lost.items() if digest not in not_back}),
            there,
            self._contents.of(name),
            source=None if part.layout is None else _FromLayout(part.layout),
            dry_run=self._asked.dry_run,
            stop=self._console.stop,
            progress=lambda done: self._console.show(f"{name}: {done} of {total} images"),
        )
        self._console.clear()
        told = {digest: Ended(digest, Result.NOT, detail=why) for digest, why in not_back.items()}
        return Work({**told, **work.ended}, work.stopped_by, work.interrupted)

    def _with_manifests_there(self, part: Part, there: Mapping[str, Image]) -> dict[str, Lost]:
        """With the manifests of those that only lost tags, where these are not on record: ECR has them."""
        wanted = [
            digest
            for digest, each in part.lost.items()
            if digest in there and each.manifest is None and set(each.removed) - set(there[digest].tags)
        ]
        port = self._registry.repository(part.repository.name)
        found: dict[str, bytes] = {}
        if wanted:
            self._console.say(
                f"repository {part.repository.name}: {text.manifests(len(wanted))} will be read, which counts as a pull"
            )
        for start in range(0, len(wanted), BATCH):
            found |= port.manifests(wanted[start : start + BATCH])
        return {
            digest: replace(each, manifest=found[digest]) if digest in found else each
            for digest, each in part.lost.items()
        }

    def _report(self, part: Part, work: Work) -> None:
        restored = restorations.RestoredRepository(
            repository=document.repository_part(part.repository),
            images=list(map(_part_of, work.ended.values())),
            not_attempted=len(part.lost) - len(work.ended),
            stopped_by=None if work.stopped_by is None else str(work.stopped_by),
        )
        self._parts.append(restored)
        if self._asked.output == "text":
            self._console.print(map(text.printable, restorations.lines(restored)))
        if work.stopped_by is not None:
            for line in work.stopped_by.lines:
                self._console.say(line)
        if restored.not_attempted:
            self._console.say(f"{text.images(restored.not_attempted)} not attempted; run it again to finish")

    def _end(self) -> None:
        fresh = [digest for part in self._parts for digest in part.protectable]
        if self._asked.output == "text":
            self._console.print(restorations.advice(fresh, dry_run=self._asked.dry_run))
            return
        content = restorations.Restoration(
            version=1,
            tool=f"aws-ecr-gc {__version__}",
            journal=self._asked.journal,
            source=self._asked.source,
            dry_run=self._asked.dry_run,
            interrupted=self._interrupted,
            repositories=self._parts,
            protect=fresh,
        )
        self._console.print([document.encode(content)])


def _exit_of(work: Work) -> Exit:
    exits = [Exit.INTERRUPTED] if work.interrupted else []
    if work.stopped_by is not None:
        # What is wrong now was right before: where something was put back, it is no misuse.
        wrong = work.stopped_by.exit
        exits.append(Exit.AWS if wrong is Exit.MISUSE and work.ended else wrong)
    if any(each.result in {Result.NOT, Result.PARTLY} for each in work.ended.values()):
        exits.append(Exit.SOME_FAILED)
    return worst(exits)


def _part_of(ended: Ended) -> restorations.RestoredImage:
    return restorations.RestoredImage(
        digest=ended.digest,
        result=restorations.Restored(ended.result.value),
        tags=ended.tags,
        elsewhere=ended.elsewhere,
        missing_layers=tuple(restorations.MissingLayer(each.digest, each.size) for each in ended.missing),
        detail=ended.detail,
        pushed_anew=ended.whole,
    )
