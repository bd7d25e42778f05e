"""EventBridge Scheduler: the schedules that run tasks, of all groups, disabled ones too."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from aws_ecr_gc.discovery.aws.ecs.describing import unless_gone
from aws_ecr_gc.discovery.aws.ecs.documents import named_in, parsed
from aws_ecr_gc.discovery.aws.ecs.task_definitions import Naming
from aws_ecr_gc.discovery.reader import Reader
from aws_ecr_gc.usage import Use

# A cluster, or a call whose parameters can name an image or a task definition. No others: there may be thousands that
# start and stop machines.
_STARTS = re.compile(r":ecs:[^:]*:[0-9]*:cluster/|:aws-sdk:(?:batch|codebuild|ecs|sagemaker|sfn):")
# What the scheduler fills in. Outside of a string, it would be no JSON.
_KEYWORD = re.compile(r"<aws\.scheduler\.[a-z-]+>")


def schedules(reader: Reader) -> Iterator[Use | Naming]:
    """The task definitions, and the images, that schedules name."""
    rows = reader.rows("scheduler", "ListSchedules", "Schedules", MaxResults=100)
    starting = [row for row in rows if _STARTS.search(row["Target"]["Arn"])]
    for row, targets in zip(starting, reader.each(partial(_target, reader), starting), strict=True):
        workload = f"schedule {row['GroupName']}/{row['Name']}"
        for target in targets:
            yield from _of_target(reader, target, workload)


def _target(reader: Reader, row: dict[str, Any]) -> list[Any]:
    """The target, or none where the schedule is gone: many delete themselves when they are done."""
    call = reader.service("scheduler").call
    return unless_gone(
        lambda: [call("GetSchedule", "Target", Name=row["Name"], GroupName=row["GroupName"])["Target"]],
        {"ResourceNotFoundException"},
    )


def _of_target(reader: Reader, target: dict[str, Any], workload: str) -> Iterator[Use | Naming]:
    if runs := target.get("EcsParameters"):
        yield Naming(runs["TaskDefinitionArn"], workload)
    elif target.get("Input") and ":aws-sdk:" in target["Arn"]:
        yield from named_in(reader, parsed(_KEYWORD.sub("0", target["Input"]), workload), workload)
