"""What the commands do, from a configuration to an exit code."""
