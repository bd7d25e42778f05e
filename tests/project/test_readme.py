"""The README's commands are run, and say what it says they say.

`python -m tests.project.test_readme` puts in what they really say.
"""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aws_ecr_gc.cli.demo import _MAIN_JOB

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _commands(text: str) -> list[str]:
    return [line[2:] for block in _CONSOLE.findall(text) for line in block.splitlines() if line.startswith("$ ")]


def run_tour(text: str, home: Path) -> list[str]:
    """The output of each command of the tour, run one after the other in one shell."""
    port = str(_free_port())
    script = ["trap 'kill $(jobs -p)' EXIT"]
    for command in _commands(text):
        script.append(f"echo '@@@'; {command.replace('4566', port).replace('run.json', str(home / 'run.json'))}")
        if command.endswith("&"):
            script.append(f"until (echo > /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.05; done")
    finished = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "AWS_EC2_METADATA_DISABLED": "true",
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return [part.removeprefix("\n") for part in finished.stdout.split("@@@")[1:]]


def rewritten(text: str, outputs: list[str]) -> str:
    """The text with these outputs below its commands."""
    waiting = iter(outputs)

    def block(match: re.Match[str]) -> str:
        commands = [line for line in match[1].splitlines(keepends=True) if line.startswith("$ ")]
        return "```console\n" + "".join(command + next(waiting) for command in commands) + "```"

    return _CONSOLE.sub(block, text)


def test_the_tour_of_the_readme_says_what_the_program_says(tmp_path: Path) -> None:
    text = README.read_text()
    outputs = run_tour(text, tmp_path)
    assert len(outputs) == len(_commands(text)) > 5
    assert rewritten(text, outputs) == text


@pytest.mark.timeout(30)
def test_make_demo_shows_the_main_job_and_a_case_the_original_gets_wrong() -> None:
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:9", "AWS_PROFILE": "absent"}
    demo = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert demo.returncode == 0, demo.stderr
    assert "Total images in testrepo (us-east-1): 47\nImages to delete (3)\n" in demo.stdout
    assert "Deleted (3)\n" in demo.stdout
    assert "`testrepo` now holds 44 images" in demo.stdout
    before, _, rest = demo.stdout.partition("$ aws-ecr-gc --repo multiarch --keep build=2\n")
    output, _, after = rest.partition("# The old index went together")
    after, _, in_use = after.partition("# The same repository once more")
    listed = re.compile(r"^  (sha256:[0-9a-f]{9})\.\.\. .*(?:index of|signature of|platform manifest)", re.MULTILINE)
    gone = set(re.findall(r"^  (sha256:[0-9a-f]{9})\.\.\. \(", output, re.MULTILINE))
    assert "Deleted (3)\n" in output
    assert set(listed.findall(after)) == set(listed.findall(before)) - gone
    used = re.findall(r"was deployed from the platform manifest (sha256:[0-9a-f]{9})", in_use)
    assert "--protect-in-use ecs\n" in in_use
    assert set(used) <= set(listed.findall(in_use))
    assert re.search(rf"build-1 +index of .*{used[0]}", in_use), "what a workload runs lost its index"
    (children,) = re.findall(r"build-2 +index of (.*)", after)
    assert set(children.split(", ")) <= set(listed.findall(after)), "the kept index shares a child with the old one"


def test_the_readme_names_the_two_commands_and_pages_that_exist() -> None:
    text = README.read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"^    make ([a-z-]+)", text, re.MULTILINE)
    assert {"demo", "test"} <= set(named) <= set(targets)
    assert f"    aws-ecr-gc {_MAIN_JOB}\n" in text, "the command of the README is the one that `make demo` runs"
    for page in [README, *ROOT.glob("docs/**/*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for link in re.findall(r"\]\((?!https:)([^)#]+)[^)]*\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        README.write_text(rewritten(README.read_text(), run_tour(README.read_text(), Path(scratch))))
