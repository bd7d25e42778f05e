"""The command line: what was typed, and the exit code."""
