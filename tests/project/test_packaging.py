"""What `pip install .` gives."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_command_the_types_the_schemas_and_the_scenarios(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    installed = tmp_path / "installed"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--disable-pip-version-check",
            "--target",
            installed,
            source,
        ],
        check=True,
    )
    package = installed / "aws_ecr_gc"
    data = list((ROOT / "src/aws_ecr_gc").rglob("*.json"))
    assert data
    for name in ("py.typed", *(str(path.relative_to(ROOT / "src/aws_ecr_gc")) for path in data)):
        assert (package / name).is_file(), name
    for command in ([installed / "bin/aws-ecr-gc"], [sys.executable, "-m", "aws_ecr_gc"]):
        shown = subprocess.run(
            [*command, "--version"],
            env={"PYTHONPATH": str(installed)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout.startswith("aws-ecr-gc 0.")
