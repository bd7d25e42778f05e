"""A user's list: from a file, standard input, a URL or a command to uses."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from aws_ecr_gc.discovery.lists import commands, fetching, formats
from aws_ecr_gc.discovery.lists.mention import MOST_BYTES
from aws_ecr_gc.discovery.settings import Kind, Listing
from aws_ecr_gc.errors import SourceFailure, one_line
from aws_ecr_gc.usage import Origin, Use


def read(listing: Listing, origin: Origin, *, stdin: Callable[[], bytes]) -> Iterator[Use]:
    """The uses that a list tells of.

    `stdin` gives what standard input held, again and again. Raises SourceFailure for a list that can't be read whole or
    holds what can't be understood; what it gave before that is not to be used.
    """
    name, path = one_line(listing.name), ""
    if listing.kind is Kind.STDIN:
        content = stdin()
    elif listing.kind is Kind.COMMAND:
        content = commands.output_of(listing.words)
    elif listing.kind is Kind.URL:
        url = listing.words[0]
        content, name, path = fetching.fetch(url), fetching.shown(url), urlsplit(url).path
    else:
        content, path = _content_of(listing.words[0], name), listing.words[0]
    for mention in formats.references(content, name, path):
        yield Use(mention.reference, mention.workload, origin, mention.current)


def _content_of(path: str, name: str) -> bytes:
    mend = "give the path of a file that holds the list"
    try:
        kind = stat.S_IFMT(Path(path).stat().st_mode)
        if kind == stat.S_IFDIR:
            raise SourceFailure(f"{name}: is a directory; give each of its files")
        if kind != stat.S_IFREG:  # a pipe would be empty when it is read again before anything is deleted
            raise SourceFailure(f"{name}: is no regular file; write it to one, or give it on standard input")
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceFailure(f"{name}: can't be read: {error.strerror or error}; {mend}") from error
    except ValueError as error:
        raise SourceFailure(f"{name}: can't be read: {error}; {mend}") from error
    if len(content) > MOST_BYTES:
        raise SourceFailure(f"{name}: is larger than {MOST_BYTES >> 20} MiB; give only what names images")
    return content
