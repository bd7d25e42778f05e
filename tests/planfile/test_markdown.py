"""Plan files as Markdown: nothing that others chose is taken for markup, and a comment has room for it."""

import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc import planfile
from aws_ecr_gc.inventory import Image, Status
from aws_ecr_gc.plan import Action, Decision, Reason
from aws_ecr_gc.planfile import PlanFile, PlannedRepository, StoredDecisions
from aws_ecr_gc.policy import Keep, Match, Policy, Rule, original_policy
from aws_ecr_gc.report import markdown, text
from aws_ecr_gc.usage import InUse, Origin, Unread
from tests.planfile.files import file_of, plan_files, planned
from tests.policy.repositories import INDEX, MANIFEST, NOW, digest, inventory_of

HOSTILE = "</code>|<img src=x>`@team` #1 [a](https://b.c) www.x.y **b** _i_ ~s~ $m$ &amp; \\| {a} ! ^ * https://x"
LONG = "\U0001f600|" * 400
ALL = original_policy({"": 0}, delete_untagged=True, grace=0.0)


def of(name: str, images: int, tags: int = 1, policy: Policy = ALL, **more: Any) -> PlannedRepository:
    """A repository of which every image goes."""
    made = [
        Image(
            digest((name, number)), NOW - 9999 - number, tuple(f"t{number}.{at}" for at in range(tags)), MANIFEST, 1000
        )
        for number in range(images)
    ]
    return planned(inventory_of(made), policy, name, **more)


def page(file: PlanFile) -> str:
    """The whole comment."""
    return "".join(f"{line}\n" for line in markdown.page(file))


def with_texts(planned: PlannedRepository, words: str) -> PlannedRepository:
    """The same with these words wherever words are."""
    reason = Reason(words, words, words)
    decisions = [Decision(each.image, each.verdict, (reason,) * 5) for each in planned.plan.decisions]
    plan = replace(planned.plan, decisions=StoredDecisions(decisions))
    refused = (planfile.Refusal(words, words, words),)
    return replace(planned, plan=plan, policy=words, refused=refused, broken=(words,) * 50)


def listed(comment: str) -> int:
    """How many images the comment lists, leaves out or has no room for."""
    rows = len(re.findall(r"^\| <code>sha256:", comment, re.MULTILINE))
    more = re.findall(r"^(?:No room for )?([0-9]+) images?(?: more$| of )", comment, re.MULTILINE)
    return rows + sum(map(int, more))


@given(st.text() | st.text(alphabet="|<>`@#[]():/.w&;x\\ ", max_size=40))
def test_any_text_is_one_inert_piece_of_code_and_reads_as_itself(words: str) -> None:
    made = markdown.code(words)
    if not text.printable(words).strip():
        assert made == ""
        return
    inner = re.fullmatch(r"<code>(.*)</code>", made)
    assert inner is not None
    bare = re.sub(r"&#[0-9]+;", " ", inner[1])
    assert not set(bare) & set("|<>`@#[]&\\*_~${}!^\n\r")
    assert "://" not in bare
    assert "www." not in inner[1].lower()
    whole, shown = text.printable(words), html.unescape(inner[1])
    assert shown == whole or (len(words) > 20 and shown.endswith("...") and whole.startswith(shown[:-3]))
    assert len(inner[1]) <= 303


def test_no_word_that_others_chose_makes_markup() -> None:
    file = file_of(with_texts(of("ci/web", 3), HOSTILE), seen=InUse(NOW, {}, (Origin(HOSTILE),)))
    file = replace(file, tool=HOSTILE, policy=planfile.PolicySource((HOSTILE,), HOSTILE))
    comment = page(file)
    assert "<img" not in comment
    assert "@team" not in comment
    assert "https://" not in comment
    assert "www." not in comment
    assert "`" not in comment
    assert set(re.findall(r"<[^>]*>", comment)) <= {
        *("<code>", "</code>", "<br>", "<details>", "</details>", "<summary>", "</summary>")
    }
    tables = [line for line in comment.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {6}


def test_a_tag_or_a_name_of_a_rule_that_is_very_long_is_cut() -> None:
    assert len(markdown.code(LONG)) < 330
    assert markdown.code(LONG).endswith("...</code>")
    assert re.search(r"&#?[0-9]*\.\.\.</code>", markdown.code(LONG)) is None


@given(plan_files())
def test_every_image_that_goes_is_listed_or_counted(file: PlanFile) -> None:
    comment = page(file)
    assert listed(comment) == sum(len(each.plan.steps) for each in file.repositories)
    assert (
        comment.count("<details>")
        == comment.count("</details>")
        == sum(bool(each.plan.steps) for each in file.repositories)
    )


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from([0, 1, 3, 199, 200, 201, 450]), max_size=12),
    st.sampled_from([1, 7]),
    st.sampled_from(["x", HOSTILE, LONG, "w" * 5000]),
)
def test_a_comment_is_never_too_long_and_counts_what_it_leaves_out(sizes: list[int], tags: int, words: str) -> None:
    repositories = [with_texts(of(f"ci/{number}", size, tags), words) for number, size in enumerate(sizes)]
    unread = tuple(Unread(Origin(words, name=str(number)), words) for number in range(60))
    seen = InUse(NOW, {}, tuple(each.origin for each in unread), unread)
    file = replace(file_of(*repositories, seen=seen), tool=words, policy=planfile.PolicySource((words,) * 9, words))
    comment = page(file)
    assert len(comment) <= markdown.LONGEST
    assert listed(comment) == sum(sizes)


def test_very_many_repositories_are_summed_up_and_those_without_room_are_counted() -> None:
    file = file_of(*(of(f"ci/{number:04}", 2) for number in range(2000)), of("ci/idle", 0))
    comment = page(file)
    assert len(comment) <= markdown.LONGEST
    assert listed(comment) == 4000
    assert "\nNothing to delete in 1 repository.\n" in comment
    shown = re.findall(r"^\| <code>ci/", comment, re.MULTILINE)
    assert f"| {2000 - len(shown)} repositories more | {2 * (2000 - len(shown))} |" in comment
    assert re.search(r"^No room for [0-9]+ images of [0-9]+ repositories: `aws-ecr-gc show`", comment, re.MULTILINE)


@pytest.mark.parametrize(("images", "rows"), [(199, 199), (200, 200), (201, 200), (900, 200)])
def test_of_one_repository_at_most_two_hundred_images_are_listed(images: int, rows: int) -> None:
    comment = page(file_of(of("ci/web", images)))
    assert len(re.findall(r"^\| <code>sha256:", comment, re.MULTILINE)) == rows
    assert (f"\n{text.images(images - rows)} more\n" in comment) == (images > rows)


def test_what_guards_refuse_and_what_is_broken_stands_out() -> None:
    refusal = planfile.Refusal("max_delete", "3 images would go, and at most 2 may", "raise it")
    comment = page(file_of(of("ci/web", 3, refused=(refusal,), broken=("ecs:prod/web is to run x:1",))))
    assert "| <code>max&#95;delete: 3 images would go, and at most 2 may</code> |" in comment
    assert "3 images to delete, at most 3.0 kB, refused by a guard</summary>" in comment
    assert "- Broken: <code>ecs:prod/web is to run x:1</code>" in comment
    assert comment.startswith("### aws-ecr-gc: 0 images to delete in 0 repositories, at most 0 bytes; guards refuse 3 ")


def test_of_many_tags_and_reasons_the_first_are_listed() -> None:
    comment = page(file_of(with_texts(of("ci/web", 1, tags=7), "x")))
    tags = ", ".join(f"<code>t0.{number}</code>" for number in range(5))
    assert f"| {tags}, 2 more |" in comment
    assert f"| {'<br>'.join(['<code>x: x (x)</code>'] * 3)}<br>2 more |" in comment


def several() -> PlanFile:
    """One image is deleted from the archive, two are archived, one of them an index."""
    there = [
        Image(digest("new"), NOW - 9999, ("new",), MANIFEST, 1000),
        Image(digest("index"), NOW - 10_000, ("a",), INDEX, 3, children=()),
        Image(digest("old"), NOW - 10_001, ("b",), MANIFEST, 40_000_000),
        Image(digest("put away"), NOW - 10_002, ("c",), MANIFEST, 10_000_000, Status.ARCHIVED, archived_at=NOW - 5),
    ]
    rules = (
        Rule("newest", Match(), Keep(newest=1)),
        Rule("archive", Match(archived_for=0.0), Keep()),
    )
    return file_of(planned(inventory_of(there), Policy(rules, grace=0.0, action=Action.ARCHIVE)))


def test_what_is_deleted_and_what_is_archived_can_be_told_apart_and_the_cautions_stand_there() -> None:
    comment = page(several())
    assert comment.startswith(
        "### aws-ecr-gc: 1 image to delete (at most 10.0 MB), 2 images to archive (at most 40.0 MB) in 1 repository\n"
    )
    assert "| image | action | tags | pushed (UTC) | size | reasons |\n|---|---|---|---|---:|---|\n" in comment
    rows = [line.split(" | ") for line in comment.splitlines() if line.startswith("| <code>sha256:")]
    assert [(row[1], row[2]) for row in rows] == [
        ("to archive", "<code>a</code>"),
        ("to archive", "<code>b</code>"),
        ("to delete", "<code>c</code>"),
    ]
    plain = html.unescape(comment)
    assert "- to delete: <code>Of these, 1 is in the archive: nothing can bring it back</code>" in plain
    assert "- to delete: <code>Some of them were archived less than 90 days ago: the rest is billed" in plain
    assert "- to archive: <code>The archive bills at least 90 days: at most $0.01 for these." in plain
    assert "- to archive: <code>Indexes among them: 1. ECR hands out no manifest from the archive" in plain
    assert "50.0 MB" not in plain


def test_images_that_lose_tags_are_shown_with_the_size_that_they_have() -> None:
    there = [Image(digest(str(at)), NOW - 9999 - at, (f"b{at}", f"v{at}"), MANIFEST, 1000) for at in range(2)]
    rules = (Rule("builds", Match(prefix=("b",)), Keep(newest=1)),)
    comment = page(file_of(planned(inventory_of(there), Policy(rules, grace=0.0, action=Action.UNTAG))))
    assert "0 bytes" not in comment
    assert " | loses <code>b1</code> | " in comment
    assert " | 1.0 kB | " in comment
    assert "| image | tags | pushed (UTC) | size | reasons |" in comment


def test_where_policies_do_other_things_than_delete_nothing_to_do_is_called_so() -> None:
    idle = planned(inventory_of([]), Policy(action=Action.ARCHIVE))
    assert "\nNothing to do in 1 repository.\n" in page(file_of(idle))
