"""Copies of what is deleted: one OCI image layout for each repository, in a directory or in S3."""

from aws_ecr_gc.backup.copying import Copied, copy
from aws_ecr_gc.backup.layout import Listed, listed_in
from aws_ecr_gc.backup.places import Layout, Place, demand_place, place_of

__all__ = ["Copied", "Layout", "Listed", "Place", "copy", "demand_place", "listed_in", "place_of"]
