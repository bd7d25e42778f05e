"""`python -m aws_ecr_gc`."""

import sys

from aws_ecr_gc.cli.main import main

sys.exit(main())
