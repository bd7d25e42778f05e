"""Plans in one file: made once, reviewed by people, carried out by another process."""

from aws_ecr_gc.planfile.layout import schema
from aws_ecr_gc.planfile.reading import load
from aws_ecr_gc.planfile.values import (
    Asked,
    Clusters,
    Flags,
    Listing,
    ListKind,
    PlanFile,
    PlannedRepository,
    PolicySource,
    Refusal,
    StoredDecisions,
)
from aws_ecr_gc.planfile.writing import encoded, save

__all__ = [
    "Asked",
    "Clusters",
    "Flags",
    "ListKind",
    "Listing",
    "PlanFile",
    "PlannedRepository",
    "PolicySource",
    "Refusal",
    "StoredDecisions",
    "encoded",
    "load",
    "save",
    "schema",
]
