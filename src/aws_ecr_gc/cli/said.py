"""The form of what ends a command: that of its standard error, once its flags were read."""

form = "text"
"""As of --log-format."""
