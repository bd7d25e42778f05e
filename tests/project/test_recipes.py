"""What docs/policy.md teaches is true: its example is a policy file, and its recipes pass their own cases."""

import re
from pathlib import Path

import pytest

from tests.conftest import Shell

_PAGE = (Path(__file__).parents[2] / "docs/policy.md").read_text()
_FILE = re.compile(r"^```yaml (?P<name>[a-z]+\.yaml)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
_INTRODUCTION, *_RECIPES = re.split(r"^### ", _PAGE, flags=re.MULTILINE)


def _written(text: str, home: Path) -> list[str]:
    """Write the files of a part of the page; their names."""
    for found in _FILE.finditer(text):
        (home / found["name"]).write_text(found["text"])
    return [found["name"] for found in _FILE.finditer(text)]


def test_there_are_twelve_recipes() -> None:
    assert [recipe.partition(".")[0] for recipe in _RECIPES] == [str(number) for number in range(1, 13)]


def test_the_example_that_the_page_begins_with_has_no_mistakes(shell: Shell) -> None:
    assert _written(_INTRODUCTION, shell.home) == ["policy.yaml"]
    finished = shell("policy", "check", str(shell.home / "policy.yaml"))
    assert (finished.exit, finished.err) == (0, "")
    assert finished.out.endswith(": 1 policy, 3 rules: no mistakes\n")


@pytest.mark.parametrize("recipe", _RECIPES, ids=lambda text: text.splitlines()[0])
def test_a_recipe_passes_its_cases(shell: Shell, recipe: str) -> None:
    assert set(_written(recipe, shell.home)) >= {"policy.yaml", "tests.yaml"}
    finished = shell("policy", "test", str(shell.home / "tests.yaml"))
    assert (finished.exit, finished.err) == (0, ""), finished.out


@pytest.mark.parametrize("recipe", _RECIPES, ids=lambda text: text.splitlines()[0])
def test_a_recipe_without_its_keeps_fails_its_cases(shell: Shell, recipe: str) -> None:
    """The cases can fail: they are about what the policy keeps."""
    _written(re.sub(r"keep: \{.*?\}", "keep: none", recipe), shell.home)
    finished = shell("policy", "test", str(shell.home / "tests.yaml"))
    assert finished.exit == 6, finished.out
