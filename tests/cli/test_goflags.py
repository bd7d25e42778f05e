"""The original's command line, as Go reads it."""

import pytest

from aws_ecr_gc.cli import flags
from aws_ecr_gc.cli.goflags import Parser
from aws_ecr_gc.config import OriginalFlags
from aws_ecr_gc.errors import Misuse


def read(*words: str) -> dict[str, object]:
    parser = Parser("aws-ecr-gc", "test")
    flags.declare(parser)
    return vars(parser.read(words))


@pytest.mark.parametrize(
    "words",
    [
        ("--repo", "a/b"),
        ("-repo", "a/b"),
        ("--repo=a/b",),
        ("-repo=a/b",),
        ("--repo=xx", "-repo", "a/b"),
        ("--repo=a/b", "--"),
    ],
)
def test_a_flag_takes_one_dash_or_two_and_its_value_after_a_space_or_an_equals_sign(words: tuple[str, ...]) -> None:
    assert read(*words)["repo"] == "a/b"


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_every_way_to_spell_true(text: str) -> None:
    assert read(f"--dry-run={text}")["dry_run"] is True


@pytest.mark.parametrize("text", ["0", "f", "F", "false", "FALSE", "False"])
def test_every_way_to_spell_false(text: str) -> None:
    assert read("-delete-untagged", f"-delete-untagged={text}")["delete_untagged"] is False


@pytest.mark.parametrize("text", ["", "yes", "tRUE", "2", "on"])
def test_other_words_are_no_booleans(text: str) -> None:
    with pytest.raises(Misuse, match="neither true nor false"):
        read(f"--dry-run={text}")


def test_a_bare_boolean_never_swallows_the_next_word() -> None:
    values = read("--dry-run", "--keep", "build=8")
    assert values["dry_run"] is True
    assert values["keep"] == [("build", 8)]
    with pytest.raises(Misuse, match="unexpected argument 'false'"):
        read("--dry-run", "false", "--keep", "build=8")


def test_a_flag_in_the_place_of_a_prefix_is_no_prefix() -> None:
    with pytest.raises(Misuse, match="no tag begins so"):
        read("--keep", "--dry-run=1")


def test_a_value_that_may_be_any_text_is_not_the_next_flag_by_accident() -> None:
    for name in ("--profile", "--state-dir", "--cache-dir"):
        with pytest.raises(Misuse, match="is the value missing"):
            read(name, "--dry-run")


def test_keep_is_repeatable_and_an_empty_prefix_needs_a_number_above_nought() -> None:
    assert read("--keep", "release=4", "-keep=build=8", "--keep", "=2")["keep"] == [
        ("release", 4),
        ("build", 8),
        ("", 2),
    ]
    with pytest.raises(Misuse, match="would delete every tagged image"):
        read("--keep", "=0")


@pytest.mark.parametrize("text", ["x", "x=", "x=-1", "x=1.5", "x=+1", "x= 1", "x=1_0", "x=²", "a=b=1"])
def test_a_keep_that_is_not_prefix_and_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(Misuse, match="--keep") as refused:
        read("--keep", text)
    assert repr(text) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kep", "a=1"), "unknown option --kep; did you mean --keep"),
        (("---repo", "x"), "bad flag syntax"),
        (("-=x",), "bad flag syntax"),
        (("--repo",), "--repo needs a value"),
        (("word",), "unexpected argument 'word'"),
        (("--", "word"), "unexpected argument 'word'"),
        (("-",), "unexpected argument '-'"),
        (("--grace", "1.5h"), "not a duration"),
        (("--output", "yaml"), "--output"),
        (("--registry-id", "12"), "account id of 12 digits"),
        (("--endpoint-url", "localhost:1"), "not a URL"),
    ],
)
def test_what_cannot_be_understood_gets_one_line(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(Misuse) as refused:
        read(*words)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90s", 90), ("1h30m", 5400), ("2d", 172800), ("0h", 0)])
def test_durations(text: str, seconds: float) -> None:
    assert read("--grace", text)["grace"] == seconds


def test_the_grace_is_an_hour_where_nothing_is_said() -> None:
    assert read()["grace"] is None
    assert OriginalFlags().grace == 3600
