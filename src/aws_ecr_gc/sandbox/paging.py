"""Listings page by page: each from a snapshot taken at its first page, addressed by opaque tokens."""

import base64
import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from aws_ecr_gc.sandbox.errors import ServiceError, invalid_parameter

Row = TypeVar("Row")

KEPT_SNAPSHOTS = 100

_PAGING = frozenset({"nextToken", "maxResults"})


class _Snapshot(NamedTuple):
    asked: Hashable
    rows: Sequence[Any]


class Listings:
    """The snapshots that tokens still point into. The least recently used are forgotten, and their tokens with them."""

    def __init__(self, longest: int | None = None) -> None:
        """`longest` is how many rows a page has at most, whatever is asked for."""
        self._longest = longest
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def page(
        self, scope: Hashable, request: Mapping[str, Any], rows: Callable[[], Sequence[Row]], default_size: int
    ) -> tuple[Sequence[Row], dict[str, str]]:
        """One page of `rows`, and the `nextToken` member of the answer (none at the end).

        `scope` says who asks what; `rows` is called for a first page only. A token serves any number of times, so
        that a page whose answer was lost can be asked for again. Raises InvalidParameterException for a token that is
        unknown or was given out for another request.
        """
        asked = (scope, msgspec.json.encode({k: v for k, v in request.items() if k not in _PAGING}, order="sorted"))
        size = request.get("maxResults") or default_size
        size = size if self._longest is None else min(size, self._longest)
        if request.get("nextToken") is None:
            listing, start = rows(), 0
            if len(listing) <= size:
                return listing, {}
            name = self._keep(_Snapshot(asked, listing))
        else:
            name, start = _read_token(request["nextToken"])
            listing = self._rows_of(name, asked)
        end = start + size
        following = {"nextToken": _write_token(name, end)} if end < len(listing) else {}
        return listing[start:end], following

    def _keep(self, snapshot: _Snapshot) -> str:
        name = secrets.token_hex(8)
        self._snapshots[name] = snapshot
        if len(self._snapshots) > KEPT_SNAPSHOTS:
            self._snapshots.popitem(last=False)
        return name

    def _rows_of(self, name: str, asked: Hashable) -> Sequence[Any]:
        snapshot = self._snapshots.get(name)
        if snapshot is None or snapshot.asked != asked:
            raise _unknown_token()
        self._snapshots.move_to_end(name)
        return snapshot.rows


def _write_token(name: str, start: int) -> str:
    return base64.urlsafe_b64encode(f"{name}:{start}".encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        name, start = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        return name, int(start)
    except ValueError as error:
        raise _unknown_token() from error


def _unknown_token() -> ServiceError:
    return invalid_parameter("nextToken", "must be a token of an earlier answer to the same request")
