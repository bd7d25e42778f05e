"""CodeBuild: the images that projects build in, and what their build specifications and variables name besides.

Images of CodeBuild itself (`aws/codebuild/...`) are in no registry of the user's. A build that was started with another
image than its project's is not looked for.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.descriptions import uses_in
from aws_ecr_gc.discovery.reader import Reader, batches
from aws_ecr_gc.errors import Unintelligible
from aws_ecr_gc.usage import Use


def read(reader: Reader) -> Iterator[Use]:
    """The images of projects."""
    names = reader.rows("codebuild", "ListProjects", "projects")
    for projects in reader.each(partial(_projects, reader), batches(names, 100)):
        for project in projects:
            yield from uses_in(reader, project, f"project {project['name']}")


def _projects(reader: Reader, names: list[str]) -> list[dict[str, Any]]:
    """The projects of these names; one that was deleted meanwhile is said to be not found."""
    answered = reader.service("codebuild").call("BatchGetProjects", "projects", names=names)
    projects: list[dict[str, Any]] = answered["projects"]
    if len(projects) + len(answered.get("projectsNotFound") or ()) < len(names):
        raise Unintelligible(
            f"BatchGetProjects: of {len(names)} asked for, {len(projects)} were described, without reason"
        )
    return projects
