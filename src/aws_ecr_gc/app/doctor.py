"""`doctor`: what may be wrong with the surroundings of a run. Nothing is read of any repository."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.aws.session import Session
from aws_ecr_gc.config import Connection, Directories
from aws_ecr_gc.errors import Error, Exit, Misuse, one_line, worst
from aws_ecr_gc.files import write_whole
from aws_ecr_gc.policyfile import PolicyFile, load
from aws_ecr_gc.registries.ecr import EcrRegistry, registry_of
from aws_ecr_gc.report import checks, document
from aws_ecr_gc.report.checks import Check, Found

_CALLER = "credentials and region"
_EXCLUSION = "pull times and our own reading"
_REPLICATION = "replication of deletions"
_RULES = "rules on pull times"

_SESSION = re.compile(r"arn:(?P<partition>[a-z-]+):sts::(?P<account>[0-9]{12}):assumed-role/(?P<name>[^/]+)/.+")
_ROLE = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<name>[^/]+)")
_UNTRUE = (
    "pull times are by the day; scanners that pull renew them, Lambda does not, and a pull of an index is not recorded "
    "for its children"
)


class Asked(Struct, frozen=True):
    """What to look at: the policy file, if there is one."""

    policy: Path | None = None
    connection: Connection = Connection()
    directories: Directories = Directories()
    output: str = "text"


def examine(asked: Asked, console: Console) -> Exit:
    """Look at everything; exit 6 where something was found, 3 where something could not be asked. Raises Mistakes."""
    file = None if asked.policy is None else load(asked.policy)
    found = [*_of_aws(asked.connection), *_of_directories(asked.directories), *([] if file is None else [_rules(file)])]
    if asked.output == "json":
        console.print([document.encode(checks.DoctorDocument(1, f"aws-ecr-gc {__version__}", found))])
    else:
        console.print(checks.lines(found))
    results = {each.result for each in found}
    exits = {Found.FINDING: Exit.FOUND, Found.UNKNOWN: Exit.AWS}
    return worst(exits[result] for result in results & exits.keys())


def _of_aws(connection: Connection) -> Iterator[Check]:
    """Who calls, and what the registry says of that."""
    arn = None
    try:
        session = Session(connection.profile, connection.region)
        registry = registry_of(session, registry_id=connection.registry_id, endpoint_url=connection.endpoint_url)
        arn = _arn(session)
        yield Check(_CALLER, Found.OK, f"{arn} in {session.region}")
    except Misuse as error:
        yield Check(_CALLER, Found.FINDING, str(error))
        for name in (_EXCLUSION, _REPLICATION):
            yield Check(name, Found.UNKNOWN, "not asked, for that takes credentials and a region")
        return
    except Error as error:
        yield Check(_CALLER, Found.UNKNOWN, str(error))
    with closing(registry) as ecr:
        yield _asked(_EXCLUSION, lambda: _exclusion(ecr, arn, connection.registry_id))
        yield _asked(_REPLICATION, lambda: _replication(ecr))


def _asked(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except Error as error:
        return Check(name, Found.UNKNOWN, str(error))


def _arn(session: Session) -> str:
    with closing(session.client("sts")) as client:
        return one_line(client.call("GetCallerIdentity", "Arn")["Arn"])


def _exclusion(ecr: EcrRegistry, arn: str | None, registry_id: str | None) -> Check:
    """Whether what the caller reads counts as pulled."""
    if arn is None:
        return Check(_EXCLUSION, Found.UNKNOWN, "not asked, for it is not known who calls")
    role = _SESSION.fullmatch(arn)
    if role is None:
        detail = (
            f"{arn} is no role, and only roles can be excluded from pull-time updates; what it reads counts as pulled"
        )
        return Check(_EXCLUSION, Found.FINDING, detail, "run as a role, and exclude that")
    if registry_id is not None and registry_id != role["account"]:
        detail = f"ECR tells the account {role['account']} of its own exclusions alone, and not of {registry_id}'s"
        return Check(_EXCLUSION, Found.UNKNOWN, detail, f"ask with credentials of {registry_id}")
    for excluded in filter(None, map(_ROLE.fullmatch, ecr.pull_time_exclusions())):
        if (excluded["account"], excluded["name"]) == (role["account"], role["name"]):
            return Check(_EXCLUSION, Found.OK, f"{excluded[0]} is excluded from pull-time updates")
    stated = f"arn:{role['partition']}:iam::{role['account']}:role/{role['name']}"
    return Check(
        _EXCLUSION,
        Found.FINDING,
        f"the role {role['name']} is not excluded from pull-time updates: the manifests that it reads count as pulled",
        "exclude it (a role's path, if it has one, stands before its name): "
        f"aws ecr register-pull-time-update-exclusion --region {ecr.registry.region} --principal-arn {stated}",
    )


def _replication(ecr: EcrRegistry) -> Check:
    """Whether deletions reach other registries."""
    reach = [
        f"{', '.join(f'{prefix}*' for prefix in rule.prefixes) or 'every repository'} to {', '.join(rule.destinations)}"
        for rule in ecr.delete_replication()
    ]
    if not reach:
        return Check(_REPLICATION, Found.OK, "no rule replicates deletions")
    return Check(
        _REPLICATION,
        Found.FINDING,
        f"what is deleted here is deleted there too: {'; '.join(reach)}",
        "see that this is meant; if not, turn off deleteReplication (aws ecr put-replication-configuration)",
    )


def _of_directories(directories: Directories) -> Iterator[Check]:
    yield _directory("state directory", "--state-dir", lambda: directories.state)
    yield _directory("cache directory", "--cache-dir", lambda: directories.cache)


def _directory(name: str, flag: str, find: Callable[[], Path]) -> Check:
    """Whether files can be written there, by writing one."""
    try:
        directory = find()
    except Misuse as error:
        return Check(name, Found.FINDING, str(error))
    probe = directory / ".doctor"
    try:
        write_whole(probe, b"")
        probe.unlink()
    except OSError as error:
        detail = f"{one_line(directory)} can't be written: {error.strerror}"
        return Check(name, Found.FINDING, detail, f"set {flag} to one that can")
    return Check(name, Found.OK, f"{one_line(directory)} can be written")


def _rules(file: PolicyFile) -> Check:
    """What a policy file makes of pull times."""
    names = file.by_pull_time
    if not names:
        return Check(_RULES, Found.OK, "no rule goes by them")
    detail = f"{', '.join(names)}: {_UNTRUE}"
    settings = file.in_use
    if settings is not None and (settings.every or "lambda" in settings.sources):
        return Check(_RULES, Found.OK, f"{detail}; Lambda is asked what it runs")
    return Check(
        _RULES,
        Found.FINDING,
        detail,
        "let Lambda be asked what it runs, in_use: {sources: [lambda]}, and exclude the roles of scanners",
    )
