"""The calendar rules: restic's published examples, time zones, and a slow evaluator of the same rules beside them.

Source: restic's manual, "Removing snapshots according to a policy".
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_ecr_gc.inventory import Image
from aws_ecr_gc.plan import Verdict
from aws_ecr_gc.policy import Keep, Match, Policy, make_plan
from aws_ecr_gc.policy.calendar import zone
from tests.policy.cases import DAY, HOUR, rule
from tests.policy.repositories import MANIFEST, digest, inventory_of

BERLIN = "Europe/Berlin"
CHATHAM = "Pacific/Chatham"
LATER = "2100-01-01"


def stamp(text: str) -> float:
    """Of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def plan_of(times: Sequence[str], keep: Keep, now: str = LATER) -> dict[str, list[str]]:
    """What the rule says of each image that stays, by the time it was pushed."""
    images = [Image(digest(each), stamp(each), ("main",), MANIFEST) for each in times]
    plan = make_plan(inventory_of(images), Policy((rule(Match(), keep),), grace=0.0), stamp(now))
    of_digest = {digest(each): each for each in times}
    return {
        of_digest[decision.image.digest]: [reason.detail.partition("kept by ")[2] for reason in decision.reasons]
        for decision in plan.decisions
        if decision.verdict is not Verdict.COLLECTED
    }


def kept(times: Sequence[str], keep: Keep, now: str = LATER) -> list[str]:
    """What stays, newest first."""
    return list(plan_of(times, keep, now))


def counts(timezone: str = "UTC", /, **periods: int) -> Keep:
    return Keep(periods=tuple(periods.items()), timezone=timezone)


def within(timezone: str = "UTC", /, **periods: float) -> Keep:
    return Keep(within=tuple(periods.items()), timezone=timezone)


TWELVE_SUNDAYS = [f"{date(2019, 9, 1) + timedelta(weeks=week)} 11:00" for week in range(12)]


def test_of_an_image_each_sunday_four_daily_ones_are_the_last_four_sundays() -> None:
    assert kept(TWELVE_SUNDAYS, counts(daily=4)) == TWELVE_SUNDAYS[:-5:-1]


def test_of_an_image_each_sunday_monthly_ones_are_the_last_sundays_of_their_months_and_the_newest() -> None:
    assert kept(TWELVE_SUNDAYS, counts(monthly=2)) == ["2019-11-17 11:00", "2019-10-27 11:00"]
    three = ["2019-11-17 11:00", "2019-10-27 11:00", "2019-09-29 11:00"]
    assert kept(TWELVE_SUNDAYS, counts(monthly=3)) == three
    assert kept(TWELVE_SUNDAYS, counts(monthly=4)) == [*three, "2019-09-01 11:00"]


def test_of_an_image_each_day_for_a_century_the_manuals_example_keeps_what_the_manual_counts() -> None:
    """7 days; 4 more Sundays, for the days hold one; 11 more month's ends, for the days hold the newest.

    Of the 75 years the newest image and the last year's end are kept already.
    """
    newest = date(2024, 6, 16)  # a Sunday
    times = [f"{newest - timedelta(days=day)} 11:00" for day in range(36525)]
    days = times[:7]
    sundays = [f"2024-{day} 11:00" for day in ("06-09", "06-02", "05-26", "05-19")]
    ends = [date(2023 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(7, 18)]
    months = [f"{end} 11:00" for end in ends]
    years = [f"{year}-12-31 11:00" for year in range(1950, 2023)]
    found = kept(times, counts(daily=7, weekly=5, monthly=12, yearly=75))
    assert found == sorted([*days, *sundays, *months, *years], reverse=True)
    assert len(found) == 7 + 4 + 11 + 73


def test_the_newest_image_of_each_period_stays_and_periods_without_images_do_not_count() -> None:
    times = ["2024-05-20 08:00", "2024-05-20 07:59", "2024-03-03 23:59", "2024-03-03 00:00", "2024-01-01 12:00"]
    assert kept(times, counts(daily=2)) == ["2024-05-20 08:00", "2024-03-03 23:59"]


@pytest.mark.parametrize(
    ("period", "newest", "of_same", "of_one_before"),
    [
        ("hourly", "2024-05-20 08:59:59", "2024-05-20 08:00", "2024-05-20 07:59:59"),
        ("daily", "2024-05-20 23:59:59", "2024-05-20 00:00", "2024-05-19 23:59:59"),
        ("weekly", "2024-05-26 23:59:59", "2024-05-20 00:00", "2024-05-19 23:59:59"),
        ("monthly", "2024-05-31 23:59:59", "2024-05-01 00:00", "2024-04-30 23:59:59"),
        ("yearly", "2024-12-31 23:59:59", "2024-01-01 00:00", "2023-12-31 23:59:59"),
    ],
)
def test_periods_begin_where_the_calendar_says(period: str, newest: str, of_same: str, of_one_before: str) -> None:
    times = [newest, of_same, of_one_before, "2020-01-01"]
    assert kept(times, counts(**{period: 2})) == [newest, of_one_before]


def test_equal_hours_of_other_days_and_equal_months_of_other_years_are_periods_of_their_own() -> None:
    assert len(kept(["2024-05-20 08:00", "2024-05-19 08:00", "2024-04-19 08:00"], counts(hourly=3))) == 3
    assert len(kept(["2024-05-20", "2023-05-20", "2022-05-20"], counts(monthly=3))) == 3
    assert len(kept(["2024-05-20", "2023-05-22", "2022-05-20"], counts(weekly=3))) == 3
    assert len(kept(["2024-05-20", "2024-04-20", "2023-05-20"], counts(daily=3))) == 3


def test_the_oldest_image_stays_as_well_where_there_is_room() -> None:
    times = ["2024-05-20 08:00", "2024-05-19 09:00", "2024-05-19 08:00", "2024-05-19 07:00"]
    assert kept(times, counts(daily=2)) == times[:2]
    found = plan_of(times, counts(daily=3))
    assert found == {
        times[0]: ["daily 3: the newest of 2024-05-20"],
        times[1]: ["daily 3: the newest of 2024-05-19"],
        times[3]: ["daily 3: the oldest, for there is room"],
    }


def test_the_oldest_image_is_named_once_where_it_is_the_newest_of_its_period_too() -> None:
    times = ["2024-05-20 08:00", "2024-05-19 08:00"]
    assert plan_of(times, counts(daily=9))[times[1]] == ["daily 9: the newest of 2024-05-19"]
    assert plan_of(times[:1], counts(daily=9)) == {times[0]: ["daily 9: the newest of 2024-05-20"]}


def test_each_kind_of_period_counts_for_itself_and_fills_its_own_room() -> None:
    times = ["2024-05-20 08:00", "2024-05-19 08:00", "2024-05-18 08:00", "2024-04-30 08:00", "2024-04-29 08:00"]
    assert plan_of(times, counts(daily=1, weekly=2, monthly=3)) == {
        times[0]: [
            "daily 1: the newest of 2024-05-20, weekly 2: the newest of 2024-W21, monthly 3: the newest of 2024-05"
        ],
        times[1]: ["weekly 2: the newest of 2024-W20"],
        times[3]: ["monthly 3: the newest of 2024-04"],
        times[4]: ["monthly 3: the oldest, for there is room"],
    }


def test_reasons_name_hours_days_weeks_months_and_years() -> None:
    time = "2024-05-20 08:30"
    keep = counts(hourly=1, daily=1, weekly=1, monthly=1, yearly=1)
    periods = ["hourly 1: the newest of 2024-05-20 08h", "daily 1: the newest of 2024-05-20"]
    periods += ["weekly 1: the newest of 2024-W21", "monthly 1: the newest of 2024-05", "yearly 1: the newest of 2024"]
    assert plan_of([time], keep) == {time: [", ".join(periods)]}


def test_within_is_measured_from_the_newest_image_and_not_from_now() -> None:
    times = ["2024-05-20 08:00", "2024-05-20 07:00", "2024-05-18 08:00:01", "2024-05-18 08:00", "2024-05-17 08:00"]
    found = plan_of(times, within(daily=2 * DAY), now="2031-01-01")
    assert found == {
        times[0]: ["daily within: the newest of 2024-05-20"],
        times[2]: ["daily within: the newest of 2024-05-18"],
    }


def test_within_keeps_the_oldest_image_only_where_it_is_itself_within() -> None:
    times = ["2024-05-20 08:00", "2024-05-20 07:00", "2024-05-20 06:00"]
    assert plan_of(times, within(daily=3 * HOUR)) == {
        times[0]: ["daily within: the newest of 2024-05-20"],
        times[2]: ["daily within: the oldest"],
    }
    assert kept(times, within(daily=2 * HOUR)) == times[:1]


@pytest.mark.parametrize("period", ["hourly", "daily", "weekly", "monthly", "yearly"])
def test_within_knows_every_kind_of_period(period: str) -> None:
    times = ["2024-05-20 08:40", "2024-05-20 08:20", "2023-05-20 08:40", "2023-05-20 08:20", "2022-01-01"]
    assert kept(times, within(**{period: 400 * DAY})) == [times[0], times[2]]


def test_several_windows_are_united() -> None:
    times = ["2024-05-20", "2024-05-19", "2024-05-18", "2024-04-30", "2024-04-29"]
    keep = within(daily=1.5 * DAY, monthly=20.5 * DAY)
    assert kept(times, keep) == ["2024-05-20", "2024-05-19", "2024-04-30"]


def test_an_image_from_the_future_stays_and_does_not_move_the_window() -> None:
    times = ["2034-05-20", "2024-05-20", "2024-05-19", "2024-05-18"]
    assert kept(times, within(daily=1.5 * DAY), now="2024-05-20 12:00") == times[:3]


def test_an_image_pushed_right_now_is_not_from_the_future() -> None:
    times = ["2024-05-20", "2024-05-19", "2024-05-18"]
    assert kept(times, within(daily=DAY), now="2024-05-20") == times[:1]


def test_where_all_images_are_from_the_future_the_window_has_no_end() -> None:
    times = ["2034-05-20", "2034-05-19 08:00", "2034-05-19 07:00", "2033-01-01"]
    assert kept(times, within(daily=HOUR), now="2024-01-01") == [times[0], times[1], times[3]]


def test_an_image_from_the_future_takes_a_place_among_the_periods() -> None:
    times = ["2034-05-20", "2024-05-20", "2024-05-19"]
    assert kept(times, counts(daily=2), now="2024-05-21") == times[:2]


def test_the_day_on_which_summer_time_begins_has_23_hours() -> None:
    times = ["2024-03-31 22:00", "2024-03-31 21:59", "2024-03-30 23:00", "2024-03-30 22:59"]
    # in Berlin   the 1st, 00:00  the 31st, 23:59     the 31st, 00:00     the 30th, 23:59
    assert kept(times, counts(BERLIN, daily=3)) == [times[0], times[1], times[3]]
    assert kept(times, counts(daily=2)) == [times[0], times[2]]


def test_the_day_on_which_summer_time_ends_has_25_hours() -> None:
    times = ["2024-10-27 23:00", "2024-10-27 22:59", "2024-10-26 22:00", "2024-10-26 21:59"]
    # in Berlin   the 28th, 00:00 the 27th, 23:59     the 27th, 00:00     the 26th, 23:59
    assert kept(times, counts(BERLIN, daily=3)) == [times[0], times[1], times[3]]


def test_the_hour_that_comes_twice_is_one_hour() -> None:
    times = ["2024-10-27 02:00", "2024-10-27 01:30", "2024-10-27 00:30", "2024-10-26 23:30", "2024-10-26 22:30"]
    # in Berlin   03:00               02:30 again         02:30               01:30               00:30
    found = plan_of(times, counts(BERLIN, hourly=3))
    assert list(found) == [times[0], times[1], times[3]]
    assert found[times[1]] == ["hourly 3: the newest of 2024-10-27 02h"]


def test_the_hour_that_is_left_out_takes_no_place() -> None:
    times = ["2024-03-31 01:00", "2024-03-31 00:59", "2024-03-30 23:59"]
    # in Berlin   03:00               01:59               00:59
    assert list(plan_of(times, counts(BERLIN, hourly=2)).values()) == [
        ["hourly 2: the newest of 2024-03-31 03h"],
        ["hourly 2: the newest of 2024-03-31 01h"],
    ]


def test_days_begin_at_a_quarter_past_eleven_utc_on_the_chatham_islands() -> None:
    times = ["2024-06-01 11:15", "2024-06-01 11:14", "2024-05-31 11:15", "2024-05-31 11:14"]
    assert kept(times, counts(CHATHAM, daily=3)) == [times[0], times[1], times[3]]


def test_two_hours_that_come_twice_by_turns_are_two_hours() -> None:
    """On the Chatham Islands, 03:45 is followed by 02:45: newest first, the hours are 3, 2, 3, 2."""
    times = ["2024-04-06 14:30", "2024-04-06 14:10", "2024-04-06 13:30", "2024-04-06 13:10", "2024-04-06 11:30"]
    # there       03:15               02:55               03:15               02:55               01:15
    assert kept([*times, "2024-04-01"], counts(CHATHAM, hourly=3)) == [times[0], times[1], times[4]]
    assert kept([*times, "2024-04-01"], within(CHATHAM, hourly=4 * HOUR)) == [times[0], times[1], times[4]]


def test_one_more_image_does_not_save_another_in_an_hour_that_comes_twice() -> None:
    times = ["2024-04-06 14:30", "2024-04-06 13:30", "2024-04-01 12:00", "2024-04-01 00:00"]
    between = "2024-04-06 14:10"
    fewer, more = kept(times, counts(CHATHAM, hourly=3)), kept([*times, between], counts(CHATHAM, hourly=3))
    assert set(more) - {between} <= set(fewer)


def test_a_leap_day_is_a_day_of_its_own() -> None:
    times = ["2024-03-01", "2024-02-29 23:00", "2024-02-29 22:00", "2024-02-28", "2023-02-28"]
    assert kept(times, counts(daily=2)) == [times[0], times[1]]
    assert kept(times, counts(monthly=2)) == [times[0], times[1]]
    assert kept(times, within(daily=366 * DAY)) == [times[0], times[1], times[3]]


def test_weeks_around_new_year_are_those_of_iso_8601() -> None:
    times = ["2021-01-04", "2021-01-03", "2021-01-01", "2020-12-31", "2020-12-28", "2020-12-27"]
    assert plan_of(times, counts(weekly=3)) == {
        times[0]: ["weekly 3: the newest of 2021-W01"],
        times[1]: ["weekly 3: the newest of 2020-W53"],
        times[5]: ["weekly 3: the newest of 2020-W52"],
    }
    assert list(plan_of(["2024-12-30", "2024-12-29"], counts(weekly=2)).values()) == [
        ["weekly 2: the newest of 2025-W01"],
        ["weekly 2: the newest of 2024-W52"],
    ]


def test_of_images_of_the_same_moment_the_first_by_digest_counts_as_the_newest_and_the_last_as_the_oldest() -> None:
    images = sorted((Image(digest(name), stamp("2024-05-20"), ("x",), MANIFEST) for name in range(5)), key=_digest)
    for keep, stays in ((counts(daily=1), images[:1]), (counts(daily=2), [images[0], images[4]])):
        plan = make_plan(inventory_of(images[::-1]), Policy((rule(Match(), keep),), grace=0.0), stamp(LATER))
        assert {step.digest for step in plan.steps} == {image.digest for image in images if image not in stays}


def _digest(image: Image) -> str:
    return image.digest


def test_the_beginning_of_1970_and_parts_of_seconds_are_times_like_others() -> None:
    times = ["1970-01-02 00:00:00", "1970-01-01 23:59:59.999", "1970-01-01 00:00:00.250", "1970-01-01 00:00:00"]
    times.append("1969-12-31 23:59:59.999")
    assert kept(times, counts(daily=3)) == [times[0], times[1], times[4]]
    assert kept(times, counts(yearly=1)) == times[:1]
    assert kept(times, within(hourly=DAY - 0.25)) == times[:2]
    assert kept(times, within(hourly=DAY - 0.249)) == times[:3]
    assert kept(times, within(hourly=DAY)) == times[:3]


def test_what_is_no_time_zone_is_refused_by_name() -> None:
    for name in ("Europe/Berlyn", "", "../../etc/passwd", "/etc/localtime", "Europe"):
        with pytest.raises(ValueError, match=r"is no time zone of the IANA database, such as Europe/Berlin"):
            zone(name)


# The same rules once more, as the manual states them, slowly: every period is looked for among all images.

_LABELS: dict[str, Callable[[datetime], str]] = {
    "hourly": lambda time: time.strftime("%Y-%m-%d %H"),
    "daily": lambda time: str(time.date()),
    "weekly": lambda time: str(time.date() - timedelta(days=time.weekday())),
    "monthly": lambda time: str(time.date())[:7],
    "yearly": lambda time: str(time.date())[:4],
}


def _newest_of_periods(period: str, newest_first: Sequence[Image], timezone: tzinfo) -> list[Image]:
    """For each period that has images its most recent one, in the order of the periods."""
    label = _LABELS[period]
    labels = [label(datetime.fromtimestamp(image.pushed_at, timezone)) for image in newest_first]
    return [newest_first[labels.index(each)] for each in dict.fromkeys(labels)]


def _stays(keep: Keep, images: Sequence[Image], now: float) -> set[str]:
    newest_first = sorted(images, key=lambda image: (-image.pushed_at, image.digest))
    timezone = ZoneInfo(keep.timezone)
    stays: list[Image] = []
    for period, count in keep.periods:
        found = _newest_of_periods(period, newest_first, timezone)
        stays += found[:count]
        if len(found) < count:
            stays += newest_first[-1:]
    past = [image.pushed_at for image in newest_first if image.pushed_at <= now]
    for period, seconds in keep.within:
        inside = [image for image in newest_first if not past or image.pushed_at > max(past) - seconds]
        stays += _newest_of_periods(period, inside, timezone)
        if inside == newest_first:
            stays += inside[-1:]
    return {image.digest for image in stays}


_MOMENTS = [
    stamp(text)
    for text in (
        "2024-03-31 01:00",
        "2024-10-27 01:00",
        "2024-04-06 14:00",
        "2024-09-28 14:00",
        "2021-01-01",
        "2024-02-29",
    )
]
"""Where the clocks change in Berlin and on the Chatham Islands, a new year in week 53, a leap day."""

_times = st.builds(
    lambda moment, steps, step: moment + steps * step,
    st.sampled_from(_MOMENTS),
    st.integers(-12, 12),
    st.sampled_from([300.0, 1500.5, HOUR, 5 * HOUR, DAY, 20 * DAY, 200 * DAY]),
)
_periods = st.sampled_from(list(_LABELS))
_keeps = st.builds(
    Keep,
    periods=st.dictionaries(_periods, st.integers(1, 6), max_size=3).map(lambda found: tuple(found.items())),
    within=st.dictionaries(_periods, st.sampled_from([HOUR, DAY, 30 * DAY, 400 * DAY]), max_size=2).map(
        lambda found: tuple(found.items())
    ),
    timezone=st.sampled_from(["UTC", BERLIN, CHATHAM, "America/New_York"]),
)


@given(st.lists(_times, max_size=30), _keeps, _times)
def test_a_slow_reading_of_the_manual_keeps_the_same(times: list[float], keep: Keep, now: float) -> None:
    images = [Image(digest(at), time, ("main",), MANIFEST) for at, time in enumerate(times)]
    plan = make_plan(inventory_of(images), Policy((rule(Match(), keep),), grace=0.0), now)
    gone = {step.digest for step in plan.steps}
    assert {image.digest for image in images} - gone == _stays(keep, images, now)
