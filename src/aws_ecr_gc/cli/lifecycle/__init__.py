"""`aws-ecr-gc lifecycle ...`: the commands about ECR's own lifecycle policies."""

from aws_ecr_gc.cli.groups import Group

COMMANDS: dict[str, tuple[str, str]] = {
    "simulate": ("aws_ecr_gc.cli.lifecycle.simulate", "which image expires or is archived by which rule, and when"),
    "lint": ("aws_ecr_gc.cli.lifecycle.lint", "what ECR would refuse, and what may surprise"),
    "verify": ("aws_ecr_gc.cli.lifecycle.verify", "the simulator beside ECR's own preview, image by image"),
    "import": ("aws_ecr_gc.cli.lifecycle.import_", "the policy file that comes closest to a lifecycle policy"),
    "export": ("aws_ecr_gc.cli.lifecycle.export", "the lifecycle policy that comes closest to a policy file"),
    "apply": ("aws_ecr_gc.cli.lifecycle.apply", "put one lifecycle policy on many repositories, or remove theirs"),
    "report": ("aws_ecr_gc.cli.lifecycle.report", "repositories without a policy, near their limit, or with idle ones"),
}
"""Name, module, help: as in `cli.main`."""

_GROUP = Group("lifecycle", "The commands about ECR's own lifecycle policies.", COMMANDS)
parser = _GROUP.parser
run = _GROUP.run
