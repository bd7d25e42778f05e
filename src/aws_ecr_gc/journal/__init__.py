"""An append-only record of what is deleted: before each call what it is about, after it the answer, then the outcome.

So a later process can finish the work of one that was killed, and put back what was deleted.
"""

from aws_ecr_gc.journal.places import MEND, Glance, Place, demand_place, journal_at, place_of
from aws_ecr_gc.journal.reading import InRepository, Recorded, latest, read
from aws_ecr_gc.journal.records import PolicyPart, Seen, schema
from aws_ecr_gc.journal.writing import Journal, create, relatives_of, resume

__all__ = [
    "MEND",
    "Glance",
    "InRepository",
    "Journal",
    "Place",
    "PolicyPart",
    "Recorded",
    "Seen",
    "create",
    "demand_place",
    "journal_at",
    "latest",
    "place_of",
    "read",
    "relatives_of",
    "resume",
    "schema",
]
