"""`aws-ecr-gc policy ...`: the commands about policy files."""

from aws_ecr_gc.cli.groups import Group

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("aws_ecr_gc.cli.policy.check", "find every mistake of a policy file"),
    "schema": ("aws_ecr_gc.cli.policy.schema", "the JSON Schema of policy files, for editors"),
    "show": ("aws_ecr_gc.cli.policy.show", "the effective policy of a repository"),
    "from-flags": ("aws_ecr_gc.cli.policy.from_flags", "the policy file that the original's flags stand for"),
    "test": ("aws_ecr_gc.cli.policy.test", "hold a policy against written cases"),
    "diff": ("aws_ecr_gc.cli.policy.diff", "which images change sides from one policy to another"),
}
"""Name, module, help: as in `cli.main`."""

_GROUP = Group("policy", "The commands about policy files.", COMMANDS)
parser = _GROUP.parser
run = _GROUP.run
