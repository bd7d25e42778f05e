"""Putting images and tags back: what is to be put back in which order, and the one place that does it."""

from aws_ecr_gc.restore.choosing import Choice, in_order, with_relatives
from aws_ecr_gc.restore.putting import Ended, Result, Source, Work, put_back
from aws_ecr_gc.restore.values import Lost

__all__ = ["Choice", "Ended", "Lost", "Result", "Source", "Work", "in_order", "put_back", "with_relatives"]
