"""What plans that delete, archive and remove tags are called: in text, in the question, and in sums."""

from msgspec.structs import replace

from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Plan
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, make_plan
from aws_ecr_gc.report import plans, work
from tests.policy.repositories import MANIFEST, NOW, digest, inventory_of

FOR_GOOD = "Of these, 1 is in the archive: nothing can bring it back"


def image(name: str, size: int, **fields: object) -> Image:
    made = Image(digest(name), NOW - 200 * 86400 - size, (name,), MANIFEST, size)
    return replace(made, **fields)


def plan_of(*put_away: str, action: Action = Action.ARCHIVE) -> Plan:
    """One image stays, one goes, and those that are put away go from the archive."""
    there = [image("new", 1), image("old", 40_000_000)]
    there += [image(name, 10_000_000, status=Status.ARCHIVED, archived_at=NOW - 100 * 86400) for name in put_away]
    rules = (Rule("newest", Match(), Keep(newest=1)), Rule("archive", Match(archived_for=0.0), Keep()))
    return make_plan(inventory_of(there), Policy(rules, grace=0.0, action=action), NOW)


def summed(*made: Plan) -> str:
    going = plans.Sum()
    for each in made:
        going.add(each)
    (line,) = plans.summary(going, plans.Sum())
    return line


def test_that_nothing_can_bring_back_what_goes_from_the_archive_is_said_below_it_and_in_the_question() -> None:
    lines = list(plans.lines(plan_of("a"), "p", []))
    assert lines.count(FOR_GOOD) == 1
    assert lines.index(FOR_GOOD) < next(at for at, line in enumerate(lines) if line.startswith("Images to archive"))
    assert plans.question([plan_of("a")]) == (
        "Delete 1 image (at most 10.0 MB) and archive 1 image (at most 40.0 MB) in testrepo? "
        f"{FOR_GOOD}. 1 image will remain there."
    )
    assert "Of these, 2 are in the archive: nothing can bring them back. " in plans.question([plan_of("a", "b")])


def test_of_what_is_deleted_or_archived_from_outside_nothing_of_the_kind_is_said() -> None:
    for action in (Action.DELETE, Action.ARCHIVE):
        made = plan_of(action=action)
        assert not any("bring" in line for line in plans.lines(made, "p", []))
        assert "bring" not in plans.question([made])


def test_deletions_alone_have_one_size_also_where_some_are_from_the_archive() -> None:
    made = plan_of("a", action=Action.DELETE)
    assert work.to_do(work.work_of(made)) == "2 images to delete"
    assert plans.question([made]).startswith("Delete 2 images in testrepo, at most 50.0 MB? Of these, 1 is")
    assert summed(made, made) == "To delete in 2 repositories: 4 images, at most 100.0 MB"


def test_a_sum_keeps_bytes_that_become_free_apart_from_those_that_move() -> None:
    assert summed(plan_of("a"), plan_of()) == (
        "To do in 2 repositories: 1 image to delete (at most 10.0 MB), 2 images to archive (at most 80.0 MB)"
    )
    assert summed(plan_of(), plan_of()) == "To do in 2 repositories: 2 images to archive, at most 80.0 MB"
