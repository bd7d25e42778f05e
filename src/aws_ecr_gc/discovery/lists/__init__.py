"""What a user's own list says is in use: lines, YAML, JSON or a Dockerfile, from a file, a URL or a command."""
