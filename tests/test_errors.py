"""Exit codes: one table."""

import itertools

from aws_ecr_gc.errors import MEANINGS, Exit, worst


def test_of_several_exits_the_documented_one_wins() -> None:
    order = [Exit.INTERRUPTED, Exit.UNEXPECTED, Exit.SOME_FAILED, Exit.AWS, Exit.REFUSED, Exit.FOUND]
    for first, second in itertools.combinations(order, 2):
        assert worst([second, first]) is worst([first, second]) is first
        assert worst([Exit.DONE, second]) is second
    assert worst([]) is Exit.DONE


def test_the_codes_are_those_of_the_documentation() -> None:
    assert [int(code) for code in MEANINGS] == [0, 1, 2, 3, 4, 5, 6, 130]
    assert set(MEANINGS) == set(Exit)
