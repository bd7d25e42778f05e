"""What a dry run costs, beside a plain boto3 script and a floor: `python -m benchmarks`, docs/benchmarks.md."""
