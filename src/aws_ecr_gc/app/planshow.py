"""`show`: a plan file, for people."""

from pathlib import Path

from aws_ecr_gc import planfile
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.errors import Exit
from aws_ecr_gc.report import markdown, planfiles, text


def show(path: Path, output: str, *, console: Console) -> Exit:
    """Show a plan file; nothing but the file is read. Raises Misuse, and Altered."""
    file = planfile.load(path)
    if output == "json":
        console.print([planfile.encoded(file).rstrip("\n")])
    elif output == "markdown":
        console.print(markdown.page(file))
    else:
        console.print(map(text.printable, planfiles.lines(file)))
    return Exit.DONE
