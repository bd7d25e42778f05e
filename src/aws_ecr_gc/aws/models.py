"""botocore's descriptions of AWS's APIs, found and read sooner than botocore does: a fifth of the start-up."""

import functools
import gzip
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader, create_loader


@functools.cache
def loader(data_path: str | None) -> Loader:
    """Once for the process: a function of Lambda begins with a new session each time it is called.

    `data_path` is what the user's AWS configuration says of it, such as AWS_DATA_PATH.
    """
    paths = create_loader(data_path).search_paths
    return Models(paths, file_loader=ModelFiles(), include_default_search_paths=False)


class ModelFiles(JSONFileLoader):  # type: ignore[misc]  # botocore has no types
    """Model files, decoded by msgspec."""

    def load_file(self, file_path: str) -> Any:
        for path, read in ((Path(f"{file_path}.json"), bytes), (Path(f"{file_path}.json.gz"), gzip.decompress)):
            if path.is_file():
                return msgspec.json.decode(read(path.read_bytes()))
        return None


class Models(Loader):  # type: ignore[misc]  # botocore has no types
    """Looks for the one service that is asked for, not into the folders of all four hundred, twice a client."""

    def list_available_services(self, type_name: str) -> Collection[str]:
        return _Services(self, type_name)

    def all_services(self, type_name: str) -> list[str]:
        """What botocore finds."""
        services: list[str] = super().list_available_services(type_name)
        return services


class _Services(Collection[str]):
    """The services of which there are models of a type."""

    def __init__(self, models: Models, type_name: str) -> None:
        self._models = models
        self._type = type_name

    def __contains__(self, service: object) -> bool:
        try:
            return bool(self._models.list_api_versions(service, self._type))
        except DataNotFoundError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._models.all_services(self._type))

    def __len__(self) -> int:
        return len(self._models.all_services(self._type))
