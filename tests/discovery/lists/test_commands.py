"""Commands whose output is a list, as real processes."""

import os
import signal
import sys
from pathlib import Path

import pytest

from aws_ecr_gc.discovery.lists.commands import output_of
from aws_ecr_gc.errors import Exit, SourceFailure


def _failure(*words: str, seconds: float = 60, most: int = 1 << 20) -> SourceFailure:
    with pytest.raises(SourceFailure) as failed:
        output_of(words, seconds=seconds, most=most)
    assert failed.value.exit is Exit.AWS
    assert len(failed.value.lines) == 1
    assert "\n" not in str(failed.value)
    return failed.value


def _shell(script: str, *words: str, seconds: float = 60, most: int = 1 << 20) -> str:
    return str(_failure("sh", "-c", script, "sh", *words, seconds=seconds, most=most))


def test_the_output_is_what_the_command_writes_whatever_it_says_besides() -> None:
    assert output_of(("sh", "-c", "echo warning >&2; echo a; echo b")) == b"a\nb\n"


def test_words_are_words_and_no_shell_reads_them() -> None:
    assert output_of(("printf", "%s", "$HOME; *")) == b"$HOME; *"


def test_standard_input_is_empty() -> None:
    assert output_of(("cat",)) == b""


def test_outputs_larger_than_any_pipe_are_read_whole() -> None:
    script = "import sys; sys.stderr.write('e' * 300000); sys.stdout.write('o' * 300000)"
    assert output_of((sys.executable, "-c", script)) == b"o" * 300_000


def test_a_command_that_fails_is_quoted_on_one_line_with_its_code() -> None:
    message = _shell("echo nginx; echo one >&2; printf 'two\\033[1m' >&2; exit 3")
    assert "ended with 3: one two\\x1b[1m; run it by hand to see why" in message
    assert message.startswith("sh -c ")


def test_a_command_that_fails_without_a_word_is_told_by_its_code_alone() -> None:
    assert str(_failure("false")) == "false: ended with 1; run it by hand to see why"


def test_of_an_endless_complaint_only_the_beginning_is_kept() -> None:
    assert len(_shell("yes | head -c 1000000 >&2; exit 1")) < 1000


def test_a_command_that_is_killed_has_failed() -> None:
    assert "was ended by SIGKILL" in _shell("echo nginx; kill -KILL $$")


def test_a_command_that_is_not_there_or_can_t_be_run_is_told(tmp_path: Path) -> None:
    assert "can't be run: No such file or directory" in str(_failure(str(tmp_path / "absent")))
    assert "can't be run: Permission denied" in str(_failure(str(tmp_path)))
    assert "can't be run: " in str(_failure("a\0b"))
    assert "can't be run: " in str(_failure())


def test_a_password_in_a_command_s_url_is_not_shown() -> None:
    assert "secret" not in str(_failure("false", "https://me:secret@example.com/"))


@pytest.mark.parametrize(
    "script",
    [
        'sleep 1000 & exec 3>"$1"; sleep 1000',
        'exec 3>"$1"; sleep 1000 & exit 0',
        'exec 3>"$1"; trap "" TERM INT HUP; while :; do sleep 1000; done',
    ],
)
def test_a_command_that_does_not_end_is_killed_with_all_that_it_started(script: str, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        message = _shell(script, str(fifo), seconds=1)
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # it would wait for ever for a process that lives
    finally:
        os.close(reader)
    assert "has not ended within 1 seconds, and was killed" in message


def test_a_command_that_closes_its_output_must_still_end_in_time() -> None:
    assert "has not ended within" in _shell("exec >&- 2>&-; exec sleep 1000", seconds=0.5)


def test_a_command_that_writes_too_much_is_killed() -> None:
    assert "writes more than 100000 bytes" in str(_failure("yes", most=100_000))


def test_a_command_is_killed_when_the_program_is_interrupted(tmp_path: Path) -> None:
    # What the command writes fits in no pipe: when it sends the signal, its output is being read.
    script = 'exec 3>"$1"; head -c 300000 /dev/zero; kill -INT $2; sleep 1000'
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(KeyboardInterrupt):
            output_of(("sh", "-c", script, "sh", str(fifo), str(os.getpid())))
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
