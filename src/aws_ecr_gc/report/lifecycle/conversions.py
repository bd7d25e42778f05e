"""Policies in the other language. `schemas/lifecycle-conversion.schema.json` is generated from here."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from aws_ecr_gc.lifecycle.exporting import Export
from aws_ecr_gc.lifecycle.importing import Import
from aws_ecr_gc.lifecycle.translating import Difference
from aws_ecr_gc.lifecycle.writing import write


class ConversionDocument(Struct, forbid_unknown_fields=True):
    """A policy in the other language: ECR's as `lifecycle_policy`, ours as the text of a `policy_file`.

    The other one is null, and both are where nothing could be said. `same` is whether it does the same, for an export
    where the `conditions` hold; those of an import are none.
    """

    version: int
    tool: str
    lifecycle_policy: Any
    policy_file: str | None
    same: bool
    differences: list[Difference]
    conditions: list[str]


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return msgspec.json.schema(ConversionDocument)


def of_export(made: Export, tool: str) -> ConversionDocument:
    """The document of an export."""
    policy = None if made.policy is None else json.loads(write(made.policy))
    conditions = [str(condition) for condition in made.conditions]
    return ConversionDocument(1, tool, policy, None, made.is_same, list(made.differences), conditions)


def of_import(made: Import, text: str | None, tool: str) -> ConversionDocument:
    """The document of an import."""
    return ConversionDocument(1, tool, None, text, False, list(made.differences), [])


def export_notes(made: Export) -> Iterator[str]:
    """What is to be known of an export, for standard error."""
    if made.policy is None:
        yield "nothing that ECR could do by itself is safe:"
    elif made.differences:
        yield "it never deletes more than the policy file does, and less:"
    else:
        yield "it deletes what the policy file does, but for parts: children of indexes stay behind in ECR"
    yield from (f"  {difference}" for difference in made.differences)
    if made.conditions:
        yield "that holds where"
        yield from (f"  {condition}" for condition in made.conditions)


def import_notes(made: Import) -> Iterator[str]:
    """How an import differs from the original; an exclamation mark is for what may delete more."""
    yield from (f"{'! ' if each.deletes_more else ''}{each}" for each in made.differences)
