"""Lines of standard error: for people, or as JSON for other machines. Imported by every command: nothing heavy."""

import json
from datetime import UTC, datetime

TEXT = "text"
JSON = "json"
_WARNING = "warning: "


def at_place(place: str, message: str) -> str:
    """A message that says which account and region it is about."""
    kind = _WARNING if message.startswith(_WARNING) else ""
    return f"{kind}{place}: {message.removeprefix(kind)}"


def log_line(message: str, form: str, level: str | None = None) -> str:
    """One line, without its break. Where no level is given, the message's first word tells it."""
    if form == TEXT:
        return f"aws-ecr-gc: {message}"
    found = level or ("warning" if message.startswith(_WARNING) else "info")
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, "level": found, "message": message.removeprefix(_WARNING)}, ensure_ascii=False)
