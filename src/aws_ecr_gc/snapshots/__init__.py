"""Inventories in one file: saved from a registry once, read in its place ever after."""

from aws_ecr_gc.snapshots.reading import Snapshot, open_snapshot
from aws_ecr_gc.snapshots.writing import RepositorySnapshot, Written, write

__all__ = ["RepositorySnapshot", "Snapshot", "Written", "open_snapshot", "write"]
