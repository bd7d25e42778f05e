"""What holds of every plan file."""

from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aws_ecr_gc.errors import Altered, Misuse
from aws_ecr_gc.planfile import PlanFile
from tests.planfile.files import everything, loaded, plan_files, saved


@given(plan_files())
def test_what_is_saved_is_loaded_again_as_the_same(file: PlanFile) -> None:
    again = loaded(saved(file))
    assert again == replace(file, checksum=again.checksum)
    for before, after in zip(file.repositories, again.repositories, strict=True):
        assert after.plan.steps == before.plan.steps
        assert tuple(after.plan.decisions) == tuple(before.plan.decisions)
        assert after.inventory == before.inventory
        assert list(after.plan.decisions.beyond_rules()) == list(before.plan.decisions.beyond_rules())
        assert list(after.plan.decisions.images()) == list(before.plan.decisions.images())


@given(plan_files())
def test_the_same_plans_make_the_same_bytes_also_once_they_were_loaded(file: PlanFile) -> None:
    content = saved(file)
    assert saved(loaded(content)) == content


@cache
def whole() -> tuple[bytes, PlanFile]:
    """A file with everything in it, and what it says."""
    content = saved(everything())
    return content, loaded(content)


_PLACES = st.integers(0, len(saved(everything())) - 1)
_BYTES = st.sampled_from(b' \n\t0123456789.-+eE",:[]{}ntrf\\xA') | st.integers(0, 255)


def _is_refused_or_means_the_same(content: bytes) -> None:
    with suppress(Misuse, Altered):
        assert loaded(content) == whole()[1]


@given(_PLACES, _BYTES)
def test_a_file_with_another_byte_is_refused_or_means_the_same(place: int, byte: int) -> None:
    content = bytearray(whole()[0])
    content[place] = byte
    _is_refused_or_means_the_same(bytes(content))


@given(_PLACES, _BYTES)
def test_a_file_with_one_byte_more_is_refused_or_means_the_same(place: int, byte: int) -> None:
    content = whole()[0]
    _is_refused_or_means_the_same(content[:place] + bytes([byte]) + content[place:])


@given(_PLACES, st.integers(1, 200))
def test_a_file_with_a_piece_missing_is_refused_or_means_the_same(place: int, length: int) -> None:
    content = whole()[0]
    _is_refused_or_means_the_same(content[:place] + content[place + length :])


def test_every_file_that_was_cut_off_is_refused() -> None:
    content = whole()[0].rstrip()
    for length in range(0, len(content), 13):
        with pytest.raises(Misuse, match=r"plan\.json: a plan file that is cut off or damaged"):
            loaded(content[:length])
