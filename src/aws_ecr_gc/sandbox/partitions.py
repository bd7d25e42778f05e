"""Partition and DNS suffix of a region. Source: botocore's partitions.json."""

from typing import NamedTuple


class Partition(NamedTuple):
    """`name` is what an ARN begins with, `suffix` what a repository URI's host ends with."""

    name: str
    suffix: str


STANDARD = Partition("aws", "amazonaws.com")
BY_REGION_PREFIX = {
    "cn-": Partition("aws-cn", "amazonaws.com.cn"),
    "eusc-": Partition("aws-eusc", "amazonaws.eu"),
    "us-gov-": Partition("aws-us-gov", "amazonaws.com"),
    "us-iso-": Partition("aws-iso", "c2s.ic.gov"),
    "us-isob-": Partition("aws-iso-b", "sc2s.sgov.gov"),
    "eu-isoe-": Partition("aws-iso-e", "cloud.adc-e.uk"),
    "us-isof-": Partition("aws-iso-f", "csp.hci.ic.gov"),
}


def partition_of(region: str) -> Partition:
    """The partition that a region belongs to; an unknown region counts as a standard one."""
    return next((partition for prefix, partition in BY_REGION_PREFIX.items() if region.startswith(prefix)), STANDARD)
