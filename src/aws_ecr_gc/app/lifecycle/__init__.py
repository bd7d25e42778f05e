"""The lifecycle commands: what each does, from what was asked to its exit code."""
