"""Seconds that the product's pace alone costs. Run as a module: benchmarks.pace CALLS, as {"lambda:GetFunction": 2000}.

In a process of its own, as all that loads the product: the one that measures stays small.
"""

import json
import sys
from collections import Counter

from aws_ecr_gc.discovery.places import line_of


def main(calls: dict[str, int]) -> None:
    """Of the lines that calls wait in, the one that takes longest."""
    counts: Counter[str] = Counter()
    rates = {}
    for name, count in calls.items():
        service, _, operation = name.partition(":")
        line, rate = line_of(service, operation)
        rates[line] = rate
        counts[line] += count
    print(max(max(0.0, counts[line] - rate.burst) / rate.sustained for line, rate in rates.items()))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
