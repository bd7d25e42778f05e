"""What is generated is up to date, and the schemas fit what they describe."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from aws_ecr_gc.sandbox import Faults, Sandbox
from tests.conftest import Shell
from tests.wire.builder import Builder

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse words its help differently in later versions")
def test_schemas_and_reference_are_up_to_date() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "tools.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("words", [("--dry-run",), ("--keep", "build=1", "--delete-untagged"), ("--keep", "build=0")])
@pytest.mark.parametrize("calls", [100, 3])
def test_every_document_of_a_run_fits_its_schema(
    sandbox: Sandbox, shell: Shell, words: tuple[str, ...], calls: int
) -> None:
    schema = json.loads((ROOT / "src/aws_ecr_gc/schemas/run.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    repo = Builder(sandbox)
    repo.image("child")
    repo.index("index", "build-1", children=["child"])
    repo.image("signature", subject="index")
    repo.image("new", "build-2", "latest")
    repo.image("archived", "build-3")
    repo.repository.archive(repo.digests["archived"])
    sandbox.faults = Faults(expire_credentials_after=calls)
    finished = shell("--repo", "testrepo", "--output", "json", *words)
    jsonschema.validate(json.loads(finished.out), schema)


def test_an_empty_repository_fits_the_schema_too(sandbox: Sandbox, shell: Shell) -> None:
    schema = json.loads((ROOT / "src/aws_ecr_gc/schemas/run.schema.json").read_text())
    sandbox.registry().create_repository("testrepo")
    document = json.loads(shell("--repo", "testrepo", "--output", "json", "--delete-untagged").out)
    jsonschema.validate(document, schema)
    assert document["repository"]["account"] is None
