"""botocore's model files, decoded our way, are what botocore decodes."""

from pathlib import Path

import botocore
from botocore.loaders import JSONFileLoader

from aws_ecr_gc.aws.client import _ModelFiles

DATA = Path(botocore.__file__).parent / "data"


def test_every_model_of_ecr_and_the_endpoints_are_decoded_alike() -> None:
    names = [DATA / "endpoints", DATA / "partitions", DATA / "_retry"]
    names += [path.with_suffix("").with_suffix("") for path in (DATA / "ecr").rglob("*.json*")]
    assert len(names) > 5
    for name in names:
        ours = _ModelFiles().load_file(str(name))
        assert ours is not None
        assert ours == JSONFileLoader().load_file(str(name))


def test_what_is_not_there_is_none() -> None:
    assert _ModelFiles().load_file(str(DATA / "absent")) is None
