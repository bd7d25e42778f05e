"""A request as it comes over HTTP, and what is sent back."""

from typing import Literal, NamedTuple

Kind = Literal["json", "json-1.0", "rest-json", "xml", "html"]


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
