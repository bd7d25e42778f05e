"""What the tests of the back ends share."""

from collections.abc import Iterator

import pytest

from tests.registries.canned import Canned


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def canned() -> Iterator[Canned]:
    with Canned() as running:
        yield running
