"""Journals as files: private, never overwritten, one writer, and never a deletion more once the disk refuses."""

import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aws_ecr_gc.errors import Exit, JournalLost, Misuse
from aws_ecr_gc.journal import Journal, create, journal_at, latest, place_of, read, resume
from tests.journal.histories import NOW, ONE_OF_EACH, REGISTRY, beginning, closing, no_s3, planning, step

_NOBODY = 65534


def opened(directory: Path, now: float = NOW) -> Journal:
    return create(place_of(directory, no_s3), REGISTRY, clock=lambda: now)


def the_journal(directory: Path) -> Path:
    (path,) = directory.iterdir()
    return path


def recorded(path: Path) -> int:
    """How many records are read."""
    return read(*journal_at(path, no_s3)).position.number


def lost(write: Callable[[], object]) -> str:
    with pytest.raises(JournalLost) as caught:
        write()
    (line,) = caught.value.lines
    assert line.isprintable()
    assert caught.value.exit is Exit.UNEXPECTED
    return line


@contextmanager
def files_no_larger_than(limit: int) -> Iterator[None]:
    """A disk that is full soon: Python ignores SIGXFSZ, so that write fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_journal_is_a_private_file_named_after_time_and_registry(tmp_path: Path) -> None:
    with opened(tmp_path / "not" / "there") as journal:
        path = the_journal(tmp_path / "not" / "there")
        assert journal.name == str(path)
        assert path.name.startswith("journal-20251125T184000.250000Z-123456789012-eu-central-1-")
        assert path.suffix == ".jsonl"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for written, write in enumerate(ONE_OF_EACH.writes, 1):
            write(journal)
            assert path.read_bytes().count(b"\n") == written, "on the disk when the method returns"
            assert recorded(path) == written


def test_journals_of_the_same_instant_are_two_files(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        beginning()(one)
        beginning()(other)
        assert one.name != other.name
        assert [recorded(Path(each.name)) for each in (one, other)] == [1, 1]


def test_a_file_that_is_there_is_never_taken_for_a_new_journal(tmp_path: Path) -> None:
    place = place_of(tmp_path, no_s3)
    (tmp_path / "journal-x.jsonl").write_text("precious")
    assert "File exists" in lost(lambda: place.create("journal-x"))
    assert (tmp_path / "journal-x.jsonl").read_text() == "precious"


def test_only_one_at_a_time_writes_a_journal(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        beginning()(journal)
        found = journal_at(journal.name, no_s3)
        with pytest.raises(Misuse, match="another process is at work with it; wait until it has ended"):
            resume(*found)
        closing()(journal)
    second, before = resume(*found)
    with second:
        assert (before.position.number, before.resumed) == (2, 0)
        with pytest.raises(Misuse, match="another process is at work with it"):
            resume(*found)
        closing()(second)
    third, before = resume(*found)
    third.close()
    assert (before.position.number, before.resumed) == (4, 1)
    assert recorded(Path(third.name)) == 5


def test_a_journal_that_is_refused_is_let_go(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("garbage\n")
    found = journal_at(tmp_path / "j", no_s3)
    for _ in range(2):
        with pytest.raises(Misuse, match="is no journal of aws-ecr-gc; name one"):
            resume(*found)
    assert (tmp_path / "j").read_text() == "garbage\n"


def test_whatever_the_disk_takes_is_read_and_nothing_is_written_behind_it(tmp_path: Path) -> None:
    with opened(tmp_path / "whole") as journal:
        ONE_OF_EACH.play(journal)
    size = the_journal(tmp_path / "whole").stat().st_size
    for limit in range(0, size, 61):
        directory = tmp_path / str(limit)
        with opened(directory) as journal, files_no_larger_than(limit):
            written = 0
            with suppress(JournalLost):
                for write in ONE_OF_EACH.writes:
                    write(journal)
                    written += 1
            assert written < len(ONE_OF_EACH.writes)
            assert "can't be written: File too large; see --journal" in lost(lambda: closing()(journal))
        assert "File too large" in lost(lambda: closing()(journal)), "though there is room again"
        path = the_journal(directory)
        if written:
            assert recorded(path) == written
            again, before = resume(*journal_at(path, no_s3))
            again.close()
            assert before.torn == limit - before.position.length
            assert recorded(path) == written + 1


def test_a_journal_whose_directory_vanished_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path / "d") as journal:
        beginning()(journal)
        shutil.rmtree(tmp_path / "d")
        assert "can't be written: No such file or directory" in lost(lambda: planning("r", step(1))(journal))
        (tmp_path / "d").mkdir()
        assert "No such file" in lost(lambda: closing()(journal))


def test_a_journal_that_was_replaced_is_lost(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        beginning()(journal)
        shutil.copy(journal.name, tmp_path / "copy")
        (tmp_path / "copy").rename(journal.name)
        assert "another file has taken its place" in lost(lambda: planning("r", step(1))(journal))


def test_where_nobody_may_write_there_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with as_nobody():
        assert "can't be written: Permission denied; see --journal" in lost(lambda: opened(tmp_path / "closed"))
    (tmp_path / "file").touch()
    assert "can't be written: " in lost(lambda: opened(tmp_path / "file"))
    assert "can't be written: Not a directory" in lost(lambda: opened(tmp_path / "file" / "below"))


def test_what_is_not_there_or_no_file_cannot_be_read(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        for way in (read, resume):
            with pytest.raises(Misuse, match=f"journal {path}: can't be read: {reason}; name one that aws-ecr-gc"):
                way(*journal_at(path, no_s3))


def test_a_journal_is_read_while_it_is_written(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        ONE_OF_EACH.play(journal)
        assert recorded(the_journal(tmp_path)) == len(ONE_OF_EACH.writes)


def test_the_latest_come_first_and_say_whether_they_ended(tmp_path: Path) -> None:
    place = place_of(tmp_path, no_s3)
    assert list(latest(place_of(tmp_path / "none", no_s3))) == []
    with opened(tmp_path, NOW) as ended:
        ONE_OF_EACH.play(ended)
    with opened(tmp_path, NOW + 2) as killed:
        beginning()(killed)
        planning("r", *(step(number) for number in range(50)))(killed)
    with opened(tmp_path, NOW + 3) as unbegun:
        pass
    (tmp_path / "journal-notes.txt").touch()
    with opened(tmp_path, NOW + 1) as torn:
        ONE_OF_EACH.play(torn)
    with Path(torn.name).open("r+b") as file:
        file.truncate(Path(torn.name).stat().st_size - 1)
    with opened(tmp_path, NOW + 0.5) as under_way:
        beginning()(under_way)
        found = list(latest(place))
        names = [Path(journal.name).name for journal in (unbegun, killed, torn, under_way, ended)]
        assert [each.name for each in found] == names
        assert [each.end and each.end.exit for each in found] == [None, None, None, None, 5]
        assert [each.under_way for each in found] == [False, False, False, True, False]
