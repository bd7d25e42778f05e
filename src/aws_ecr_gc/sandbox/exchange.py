"""A request as it comes over HTTP, and what is sent back."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Kind = Literal["json", "json-1.0", "rest-json", "xml", "html", "octets"]


class Arrival(NamedTuple):
    """What an HTTP request says."""

    target: str
    authorization: str
    body: bytes
    method: str = "POST"
    path: str = "/"
    """With the query."""


class Answer(NamedTuple):
    """What is sent back; a status of 0 is a reset of the connection."""

    status: int
    body: bytes
    kind: Kind = "json"
    error_code: str = ""
    """For the header in which REST-like services name the error."""
    more: Iterable[bytes] = ()
    """What follows the body."""
    length: int | None = None
    """Of all of it. Where more is announced than comes, the connection is reset at its end."""
