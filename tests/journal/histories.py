"""What a process may write into a journal, made up by hypothesis, and what is then known of it."""

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from hypothesis import strategies as st

from aws_ecr_gc.errors import AwsFailure
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.journal import PolicyPart, relatives_of
from aws_ecr_gc.plan import Action, Outcome, Result, Step
from aws_ecr_gc.ports import Answer, ImageId, Refusal
from aws_ecr_gc.reference import Registry
from aws_ecr_gc.usage import Origin, Unread

REGISTRY = Registry("123456789012", "eu-central-1", "aws")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NOW = 1_764_096_000.25

Write = Callable[[Any], object]
"""A call of a method of `Journal`."""


class History(NamedTuple):
    """One call of a journal's methods for each record, in order."""

    writes: list[Write]

    def play(self, journal: Any) -> None:
        """Make the calls."""
        for write in self.writes:
            write(journal)


def no_s3() -> NoReturn:
    """For a place that is a directory."""
    raise AssertionError("no S3 is asked for")


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def image(number: int, *tags: str, children: tuple[str, ...] = (), subject: str | None = None) -> Image:
    return Image(
        digest(number), NOW - number, tags, INDEX if children else MANIFEST, 5, Status.ACTIVE, subject, children
    )


def step(number: int, *tags: str, after: tuple[str, ...] = ()) -> Step:
    return Step(Action.DELETE, digest(number), tags, Status.ACTIVE, NOW - number, 5, after, len(after))


def beginning(**changes: Any) -> Write:
    return lambda journal: journal.begin(**changes)


def planning(repository: str, *steps: Step, **changes: Any) -> Write:
    images = {each.digest: Image(each.digest, each.pushed_at, each.tags, MANIFEST) for each in steps}
    relatives = relatives_of(steps, images)
    return lambda journal: journal.steps(repository, steps, relatives, **{"taken_at": NOW, **changes})


def asking(
    repository: str,
    *ids: tuple[int, str | None],
    manifest: bytes | None = b"{}",
    action: Action = Action.DELETE,
) -> Write:
    named = [ImageId(digest(number), tag) for number, tag in ids]
    tags: dict[str, list[str]] = {}
    for each in named:
        tags.setdefault(each.digest, []).extend([] if each.tag is None else [each.tag])
    images = [Image(each, NOW, tuple(of_it), MANIFEST) for each, of_it in tags.items()]
    manifests = {} if manifest is None else dict.fromkeys(tags, manifest)
    return lambda journal: journal.of(repository).about(action, named, images, manifests)


def answering(
    repository: str, about: int, *gone: tuple[int, str | None], refused: tuple[tuple[int, str | None, str], ...] = ()
) -> Write:
    deletion = Answer(
        tuple(ImageId(digest(number), tag) for number, tag in gone),
        tuple(Refusal(ImageId(digest(number), tag), code, "for a reason") for number, tag, code in refused),
    )
    return lambda journal: journal.of(repository).answered(about, deletion)


def failing(repository: str, about: int, text: str = "lost on the way") -> Write:
    return lambda journal: journal.of(repository).answered(about, AwsFailure(text, "ConnectionClosedError"))


def ending(repository: str, *results: tuple[int, Result, *tuple[str, ...]]) -> Write:
    outcomes = [Outcome(digest(number), result, *more) for number, result, *more in results]
    return lambda journal: journal.of(repository).outcomes(outcomes)


def closing(code: int = 0, *, interrupted: bool = False) -> Write:
    return lambda journal: journal.end(code, interrupted=interrupted)


ONE_OF_EACH = History(
    [
        beginning(
            plan="ab" * 32,
            policy=PolicyPart(("policy.yaml",), "cd" * 32),
            in_use={"sources": ["ecs"], "lists": [{"kind": "file", "words": ["a b"]}]},
            allow_unread=("lambda",),
            gone_on_without=(Unread(Origin("lambda", "123456789012", "eu-central-1"), "denied"),),
        ),
        planning(
            "team/web", step(1, "v1", "v2"), step(2, after=(digest(1),)), step(3, "old"), pulled_since=NOW, canary=1
        ),
        asking("team/web", (1, "v1"), (1, "v2"), manifest=b'{"a": "\xff\n"}'),
        answering("team/web", 2, (1, "v1"), (1, "v2")),
        ending("team/web", (1, Result.DONE)),
        planning("api", step(7, "x")),
        asking("api", (7, "x"), manifest=None),
        failing("api", 6),
        asking("team/web", (2, None), (3, "old")),
        answering("team/web", 8, (2, None), refused=((3, "old", "ImageTagDoesNotMatchDigest"),)),
        ending("team/web", (2, Result.DONE), (3, Result.SKIPPED, "ChangedSincePlan", "tagged [new] now")),
        closing(5),
    ]
)
"""Every kind of record, in a history that can happen."""

_texts = st.text(max_size=12)
_tags = st.lists(st.sampled_from(["v1", "v2", "latest", "x" * 300]), max_size=3, unique=True).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any history: calls that are answered, fail or stay open, final words or none, an end or none."""
    writes: list[Write] = [beginning(restorable=draw(st.booleans()), allow_unread=draw(st.lists(_texts, max_size=2)))]
    planned: dict[str, list[Step]] = {}
    open_calls: list[tuple[str, int, list[tuple[int, str | None]]]] = []
    for name in draw(st.lists(st.sampled_from(["a", "a/b", "c"]), max_size=3, unique=True)):
        tags_of = draw(st.lists(_tags, max_size=5))
        planned[name] = [step(number, *tags) for number, tags in enumerate(tags_of)]
        writes.append(planning(name, *planned[name]))
    with_steps = [name for name, steps in planned.items() if steps]
    for kind in draw(st.lists(st.sampled_from(["ask", "answer", "fail", "end"]), max_size=8)) if with_steps else []:
        name = draw(st.sampled_from(with_steps))
        numbers = draw(st.lists(st.integers(0, len(planned[name]) - 1), min_size=1, max_size=3, unique=True))
        if kind == "ask":
            ids = [(each, tag) for each in numbers for tag in planned[name][each].tags or (None,)]
            open_calls.append((name, len(writes), ids))
            manifest, action = draw(st.none() | st.binary(max_size=20)), draw(st.sampled_from(list(Action)))
            writes.append(asking(name, *ids, manifest=manifest, action=action))
        elif kind == "end":
            results = [(each, draw(st.sampled_from(list(Result))), draw(_texts)) for each in numbers]
            writes.append(ending(name, *results))
        elif open_calls:
            name, about, ids = open_calls.pop(draw(st.integers(0, len(open_calls) - 1)))
            gone = draw(st.lists(st.sampled_from(ids), unique=True))
            refused = tuple((*each, draw(_texts)) for each in ids if each not in gone and draw(st.booleans()))
            fails = kind == "fail"
            writes.append(
                failing(name, about, draw(_texts)) if fails else answering(name, about, *gone, refused=refused)
            )
    if draw(st.booleans()):
        writes.append(closing(draw(st.integers(0, 130)), interrupted=draw(st.booleans())))
    return History(writes)
