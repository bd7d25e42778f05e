"""What can go wrong, the exit code of each kind, and what wins when several happen at once.

    Error                      one line for the user; never raised as such
    ├── Misuse             2   what was typed or set is wrong; nothing was changed
    │   ├── Incomplete     2   something that must be given is missing; shown with the usage
    │   ├── Mistakes       2   several at once, a line each
    │   ├── NoJournal      2   the journal can't be begun; 1 where something was deleted elsewhere
    │   └── Credentials    2   none, broken or expired
    ├── AwsFailure         3   AWS refused or failed, or could not be reached
    │   ├── Passing        3   may go well another time: throttled, a server in trouble, no answer
    │   ├── AccessDenied   3   names the missing IAM action
    │   ├── Unintelligible 3   an answer that is not what ECR's API promises
    │   ├── NotArchivable  3   ECR does not archive this image now
    │   ├── ImageNotFound  3   one of the images asked for is not there (any more)
    │   └── IndexVanished  3   an index went between its listing and its reading (in registries.reading)
    ├── SourceFailure      3   a source of workloads can't be read: a cluster, a list, a command
    ├── WorkloadsUnread    3   what is in use is not known whole, a line for each source that is missing
    ├── Outdated           4   a file that is older than what it must speak for
    ├── Altered            4   a plan file that says something else than when it was written
    ├── Elsewhere          4   a plan of another registry or policy than it is to be carried out by
    ├── GuardStopped       4   a guard ended the work while it was under way
    ├── OutputLost         1   the result can't be written
    ├── JournalLost        1   the journal can't be written; 2 where nothing was deleted yet
    ├── BackupLost         1   the backup can't be written; 2 where nothing was deleted yet
    └── Interrupted      130   Ctrl-C or SIGTERM before anything was deleted

Exceptions of other libraries are wrapped where they come in (`aws`), so nothing above knows them.
"""

import re
from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    UNEXPECTED = 1
    MISUSE = 2
    AWS = 3
    REFUSED = 4
    SOME_FAILED = 5
    FOUND = 6
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.DONE: "done, or nothing to do",
    Exit.UNEXPECTED: "unexpected: a defect of aws-ecr-gc, or the result, the journal or the backup can't be written",
    Exit.MISUSE: "what was typed or set is wrong; nothing was changed",
    Exit.AWS: "AWS refused or failed, or something could not be read",
    Exit.REFUSED: "a guard or a plan's precondition refused",
    Exit.SOME_FAILED: "some of the work failed",
    Exit.FOUND: "a check found something",
    Exit.INTERRUPTED: "interrupted",
}

_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.UNEXPECTED,
    Exit.SOME_FAILED,
    Exit.AWS,
    Exit.REFUSED,
    Exit.FOUND,
    Exit.MISUSE,
    Exit.DONE,
)


def worst(exits: Iterable[Exit]) -> Exit:
    """The one exit code that speaks for several; `DONE` for none."""
    return min(exits, key=_PRECEDENCE.index, default=Exit.DONE)


_USER_INFO = re.compile(r"//[^/@\s]+@")


def one_line(text: object) -> str:
    """A foreign text on one line, printable, not endless (an error page can be a whole document), without passwords."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in " ".join(str(text).split()))
    line = _USER_INFO.sub("//", line)
    return line if len(line) <= 500 else f"{line[:500]}..."


class Error(Exception):
    """The root. Its text is one line: the thing, the reason, the mend."""

    exit: ClassVar[Exit] = Exit.UNEXPECTED

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code or type(self).__name__
        """AWS's error code, or the name of what broke on the way to it."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What to show, a line each."""
        return (str(self),)


class _Several(Error):
    """Several at once, at least one line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = tuple(lines)
        super().__init__("; ".join(self._lines))

    @property
    def lines(self) -> tuple[str, ...]:
        return self._lines


class Misuse(Error):
    """What was typed or set is wrong."""

    exit = Exit.MISUSE


class Incomplete(Misuse):
    """What must be given is missing: the usage belongs beside this message."""


class Mistakes(_Several, Misuse):
    """All that is wrong with what was written."""


class NoJournal(Misuse):
    """The journal can't be begun, so nothing was deleted that would be in it."""


class Credentials(Misuse):
    """No credentials, or ones that AWS does not take."""


class AwsFailure(Error):
    """AWS refused or failed."""

    exit = Exit.AWS


class Passing(AwsFailure):
    """AWS did not carry it out, or nobody knows whether it did, and another time it may."""


class AccessDenied(AwsFailure):
    """The caller may not do this; the text names the IAM action."""


class Unintelligible(AwsFailure):
    """An answer that is not what the API promises."""


class ImageNotFound(AwsFailure):
    """At least one image asked for is gone; `digest` is the one that AWS names, if it names one."""

    def __init__(self, message: str, digest: str | None) -> None:
        super().__init__(message)
        self.digest = digest


class NotArchivable(AwsFailure):
    """ECR does not archive this image now: an index lists it, say, or it is on its way back."""


class SourceFailure(Error):
    """A source of workloads can't be read."""

    exit = Exit.AWS


class WorkloadsUnread(_Several):
    """What is in use is not known whole, so nothing may be deleted."""

    exit = Exit.AWS


class Outdated(Error):
    """A file is older than what it must speak for."""

    exit = Exit.REFUSED


class Altered(Error):
    """A plan file says something else than when it was written."""

    exit = Exit.REFUSED


class Elsewhere(Error):
    """A plan of another registry, or another policy, than it is to be carried out by."""

    exit = Exit.REFUSED


class GuardStopped(Error):
    """A guard ended the work while it was under way."""

    exit = Exit.REFUSED


class OutputLost(Error):
    """Whoever was to read the result is gone, or the disk is full."""


class JournalLost(Error):
    """The journal can't be written, so nothing more may be deleted. Whoever begins one says whether anything was."""


class BackupLost(Error):
    """The backup can't be written, so what it is of must not be deleted. Whoever makes it says whether anything was."""


class Interrupted(Error):
    """Asked to stop before anything was deleted."""

    exit = Exit.INTERRUPTED
