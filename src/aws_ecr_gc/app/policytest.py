"""`policy test`: hold policy files against written cases."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from aws_ecr_gc import __version__
from aws_ecr_gc.app.console import Console
from aws_ecr_gc.errors import Exit, Mistakes, Misuse, OutputLost, one_line
from aws_ecr_gc.files import write_whole
from aws_ecr_gc.policytests import CaseFile, judge, load
from aws_ecr_gc.report import document, judgements


def run_cases(paths: Sequence[Path], *, output: str, out: Path | None, console: Console) -> Exit:
    """Judge every case of these files; exit 6 where one fails. Raises Misuse before any if one can't be understood."""
    files = [_judged(file) for file in _loaded(paths)]
    if output == "junit":
        lines = [judgements.junit(files)]
    elif output == "json":
        lines = [document.encode(judgements.part(files, f"aws-ecr-gc {__version__}"))]
    else:
        lines = list(judgements.lines(files))
    if out is not None:
        _write(out, lines)
        lines = [judgements.summary(files)]
    console.print(lines)
    return Exit.FOUND if judgements.failed(files) else Exit.DONE


def _loaded(paths: Sequence[Path]) -> list[CaseFile]:
    files: list[CaseFile] = []
    wrong: list[str] = []
    for path in paths:
        try:
            files.append(load(path))
        except Misuse as error:
            wrong += error.lines
    if wrong:
        raise Mistakes(dict.fromkeys(wrong))  # files that name the same policy file tell of its mistakes each
    return files


def _judged(file: CaseFile) -> judgements.JudgedFile:
    cases: list[judgements.Judged] = []
    for case, policy in file.cases:
        start = perf_counter()
        judgement = judge(case, policy)
        cases.append(judgements.Judged(judgement, perf_counter() - start))
    return judgements.JudgedFile(str(file.path), cases)


def _write(path: Path, lines: Sequence[str]) -> None:
    try:
        write_whole(path, "".join(f"{line}\n" for line in lines).encode(), private=False)
    except OSError as error:
        raise OutputLost(f"{one_line(path)}: can't be written: {one_line(error.strerror or error)}") from error
