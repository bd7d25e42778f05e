"""botocore's model files, found and decoded our way, are what botocore finds and decodes."""

from pathlib import Path

import botocore
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, create_loader

from aws_ecr_gc.aws.models import ModelFiles, loader

DATA = Path(botocore.__file__).parent / "data"


def test_every_model_of_ecr_and_the_endpoints_are_decoded_alike() -> None:
    names = [DATA / "endpoints", DATA / "partitions", DATA / "_retry"]
    names += [path.with_suffix("").with_suffix("") for path in (DATA / "ecr").rglob("*.json*")]
    assert len(names) > 5
    for name in names:
        ours = ModelFiles().load_file(str(name))
        assert ours is not None
        assert ours == JSONFileLoader().load_file(str(name))


def test_what_is_not_there_is_none() -> None:
    assert ModelFiles().load_file(str(DATA / "absent")) is None


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "waiters-2", "nonsense-1"])
def test_the_services_that_are_known_are_those_that_botocore_knows(kind: str) -> None:
    known = loader(None).list_available_services(kind)
    assert list(known) == create_loader().list_available_services(kind)
    assert len(known) == len(list(known))
    for service in ("ecr", "s3", "ec2", "nonsense", ""):
        assert (service in known) is (service in create_loader().list_available_services(kind))


def test_a_service_without_a_model_of_the_kind_is_unknown_as_to_botocore(tmp_path: Path) -> None:
    folder = tmp_path / "ours" / "2020-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {}}')
    models = loader(str(tmp_path))
    assert models.load_service_model("ours", "service-2") == {"metadata": {}}
    with pytest.raises(UnknownServiceError, match=r"'ours'.*ecr"):
        models.load_service_model("ours", "endpoint-rule-set-1")


def test_models_are_looked_for_where_botocore_looks_for_them(tmp_path: Path) -> None:
    stated = f"{tmp_path}/one:~/two:$HOME/three"
    assert loader(stated).search_paths == create_loader(stated).search_paths
    assert loader(None).search_paths == create_loader().search_paths
