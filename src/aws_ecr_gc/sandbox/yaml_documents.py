"""Reading YAML so that it means the same as the JSON of the same shape: times stay strings."""

from typing import Any

import yaml

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's way to say it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(content: bytes) -> Any:
    """The document in a YAML file; an empty file is an empty mapping. Raises ValueError when it is no YAML."""
    try:
        document = yaml.load(content, _Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return {} if document is None else document
