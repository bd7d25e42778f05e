"""`lifecycle import` and `lifecycle export`: from ECR's language to ours, and back."""

from collections.abc import Mapping
from pathlib import Path

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.app.lifecycle.asked import Asked, own_policy, reading, text_of
from aws_ecr_gc.errors import Exit, Incomplete, Misuse, one_line
from aws_ecr_gc.lifecycle.exporting import export
from aws_ecr_gc.lifecycle.importing import import_
from aws_ecr_gc.lifecycle.reading import parse
from aws_ecr_gc.lifecycle.values import LifecyclePolicy
from aws_ecr_gc.lifecycle.writing import write
from aws_ecr_gc.policy import Policy
from aws_ecr_gc.policyfile import PolicyFile, dump, load
from aws_ecr_gc.policyfile import parse as parse_ours
from aws_ecr_gc.report import document
from aws_ecr_gc.report.lifecycle import conversions

_TOOL = f"aws-ecr-gc {__version__}"


def import_policy(asked: Asked, *, now: float, console: Console) -> Exit:
    """Print a policy file for a lifecycle policy, its differences as comments; exit 6 where none can be made.

    Raises LifecycleMistakes.
    """
    policy, origin = _theirs(asked, now, console)
    made = import_(policy)
    name = asked.patterns[0] if asked.patterns else None
    text = None if made.policy is None else dump(made.policy, name)
    if text is not None:
        parse_ours(text.encode(), Path("imported.yaml"))  # for trial: what is printed is a policy file
    if asked.output == "json":
        console.print([document.encode(conversions.of_import(made, text, _TOOL))])
        return Exit.DONE if text is not None else Exit.FOUND
    notes = list(conversions.import_notes(made))
    if text is None:
        for note in notes:
            console.say(note)
        return Exit.FOUND
    heading = f"# From {one_line(origin)}. How it differs (! is where it may delete more):"
    console.print([heading, *(f"#   {one_line(note)}" for note in notes), *text.splitlines()])
    return Exit.DONE


def _theirs(asked: Asked, now: float, console: Console) -> tuple[LifecyclePolicy, str]:
    """The policy to import, and what it is called."""
    if asked.policy is not None:
        return parse(text_of(asked.policy), str(asked.policy)), str(asked.policy)
    (name,) = asked.patterns
    with reading(asked, now, console) as (source, _):
        own = own_policy(source, name)
    if own is None:
        raise Misuse(f"repository {name}: it has no lifecycle policy")
    return own.policy, f"the lifecycle policy of {name}"


def export_policy(asked: Asked, *, now: float, console: Console) -> Exit:
    """Print a lifecycle policy for a policy file; exit 6 where none is safe. Raises Mistakes."""
    if asked.policy is None:
        raise Incomplete("no policy file: name it")
    file = load(asked.policy)
    made = export(_ours(file, asked, now, console), looks_for_uses=file.in_use is not None)
    if asked.output == "json":
        console.print([document.encode(conversions.of_export(made, _TOOL))])
    else:
        if made.policy is not None:
            console.print([write(made.policy)])
        for note in conversions.export_notes(made):
            console.say(note)
    return Exit.DONE if made.policy is not None else Exit.FOUND


def _ours(file: PolicyFile, asked: Asked, now: float, console: Console) -> Policy:
    """The policy to export: the only one, or that of a repository."""
    if not asked.patterns:
        if file.single is None:
            raise Incomplete(f"{asked.policy}: it has several policies; say with --repo for which repository")
        return file.single
    (name,) = asked.patterns

    def tags() -> Mapping[str, str]:
        with reading(asked, now, console) as (source, _):
            return source.resource_tags(name)

    policy = file.policy_for(name, tags)
    if policy is None:
        raise Misuse(f"repository {name}: no policy fits it, so it is left alone")
    return policy
