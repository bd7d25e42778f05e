"""`run`: plan every repository and carry the plans out."""

from contextlib import closing

from aws_ecr_gc.app.backup import demand_backup
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.crew import Crew
from aws_ecr_gc.app.fleet import aimed, run_fleet
from aws_ecr_gc.app.live import Live
from aws_ecr_gc.app.measures import prepare, publish_one
from aws_ecr_gc.app.policies import policies_of
from aws_ecr_gc.app.protection import protection_of
from aws_ecr_gc.app.report import Report
from aws_ecr_gc.app.running import Question, Running
from aws_ecr_gc.app.site import Site
from aws_ecr_gc.app.sources import open_live
from aws_ecr_gc.config import Request
from aws_ecr_gc.errors import Exit


def run(request: Request, *, now: float, console: Console, question: Question | None, strict: bool) -> Exit:
    """Plan and delete, many repositories at once; with a question, all plans are made and shown before it is asked.

    Exit 4 where a guard refused a repository: that one is left as it is. Raises `errors.Error` where nothing can be
    planned, and OutputLost.
    """
    prepare(request.watching)
    demand_backup(request.backup)
    policies = policies_of(request)
    request = aimed(request, policies)
    if request.targets.is_fleet:
        return run_fleet(request, policies, now=now, console=console, question=question, strict=strict)
    protection = protection_of(policies.in_use, request.connection, now, console, allow_unread=request.allow_unread)
    live = Live(request.directories, now, console)
    with open_live(request.connection, live, request.concurrency) as source:
        site = Site(source, request, policies, console, policies.in_use)
        crew = Crew(
            request, protection, console, carries_out=question is None, strict=strict, holds=question is not None
        )
        with closing(crew), closing(Report(request, policies, now, console)) as report:
            running = Running(crew, report, console)

            def end() -> None:
                report.end(site.sweep)

            code = running.through(crew.passages(site), question, end)
            site.log.end(code, interrupted=running.interrupted)
            publish_one(request.watching, source, report.summary, code, console)
            return code
