"""One registry of a run, and what becomes of its repositories."""

from aws_ecr_gc.app.cautions import Cautions
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.journals import About, Log, part_of
from aws_ecr_gc.app.policies import Policies
from aws_ecr_gc.app.sources import Source
from aws_ecr_gc.app.sweep import Sweep
from aws_ecr_gc.config import Request


class Site:
    """A registry: where it is read, whose policies hold, where its deletions are put on record."""

    def __init__(self, source: Source, request: Request, policies: Policies, console: Console) -> None:
        self.source = source
        self.policies = policies
        self.sweep = Sweep(source, request.patterns, console)
        self.cautions = Cautions(request, source)
        about = About(part_of(policies.files, policies.sha256), policies.in_use, request.allow_unread)
        self.log = Log(request.journal, about, request.connection, request.directories, console)
