"""Every common way to write a time, read into one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs_service.patterns.timestamps import TimeReader

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        ("2024-01-02 03:04:05.5+02:00", "2024-01-02T01:04:05.5+00:00"),
        ("2024-01-02 03:04:05,123456789", "2024-01-02T03:04:05.123456789+00:00"),
        ("2005-06-03-15.42.50.675872", "2005-06-03T15:42:50.675872+00:00"),
        ("2024/01/02 03:04:05", "2024-01-02T03:04:05+00:00"),
        ("20171223-22:15:29:606", "2017-12-23T22:15:29.606+00:00"),
        ("20171224-0:7:2:439", "2017-12-24T00:07:02.439+00:00"),
        ("20240102T030405", "2024-01-02T03:04:05+00:00"),
        ("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44+00:00"),
        ("Sun Dec  4 04:47:44 UTC 2005", "2005-12-04T04:47:44+00:00"),
        ("Jun 14 15:16:01", "2026-06-14T15:16:01+00:00"),
        ("Dec 10 06:55:46", "2025-12-10T06:55:46+00:00"),
        ("Feb 29 00:00:00", "2024-02-29T00:00:00+00:00"),
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36+00:00"),
        ("Tue, 02 Jan 2024 03:04:05 +0000", "2024-01-02T03:04:05+00:00"),
        ("02-Jan-2024 03:04:05.123", "2024-01-02T03:04:05.123+00:00"),
        ("17/06/09 20:10:40", "2017-06-09T20:10:40+00:00"),
        ("1/13/2024 3:04:05 PM", "2024-01-13T15:04:05+00:00"),
        ("1/13/2024 12:04:05 AM", "2024-01-13T00:04:05+00:00"),
        ("13/1/2024 03:04:05", "2024-01-13T03:04:05+00:00"),
        ("02.01.2024 03:04:05", "2024-01-02T03:04:05+00:00"),
        ("10.30 16:49:06", "2026-10-30T16:49:06+00:00"),
        ("03-17 16:13:38.811", "2026-03-17T16:13:38.811+00:00"),
        ("081109 203615", "2008-11-09T20:36:15+00:00"),
        ("1117838570", "2005-06-03T22:42:50+00:00"),
        ("1704164645.123", "2024-01-02T03:04:05.123+00:00"),
        ("1704164645123", "2024-01-02T03:04:05.123+00:00"),
        ("1704164645123456", "2024-01-02T03:04:05.123456+00:00"),
        ("1704164645123456789", "2024-01-02T03:04:05.123456789+00:00"),
        ("11:59:59", "2026-11-23T11:59:59+00:00"),
        ("2016-12-31 23:59:60", "2016-12-31T23:59:59+00:00"),
        ("2024-01-02 03:04:05 CET", "2024-01-02T02:04:05+00:00"),
    ],
)
def test_a_time_is_read(text: str, moment: str) -> None:
    whole, _, fraction = moment.removesuffix("+00:00").partition(".")
    expected = int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0"))

    assert TimeReader(now=_NOW).read(text) == expected


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59Z", "2262-04-12 00:00:00", "1677-09-20 00:00:00", "0001-01-01T00:00:00Z"]
)
def test_what_64_bits_of_nanoseconds_do_not_reach_is_no_time(text: str) -> None:
    reader = TimeReader(now=_NOW)

    assert reader.read(text) is None
    assert reader.read("2262-04-11T23:47:15.999999999Z") == 9_223_372_035_999_999_999


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-45 03:04:05", "12345", "99:99:99 x", "9999999999", "1.2.3"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert TimeReader(now=_NOW).read(text) is None


def test_a_missing_zone_follows_summer_time() -> None:
    reader = TimeReader(now=_NOW, timezone=ZoneInfo("Europe/Berlin"))

    winter, summer = reader.read("2024-01-02 03:00:00"), reader.read("2024-07-02 03:00:00")

    assert winter == int(datetime(2024, 1, 2, 2, tzinfo=UTC).timestamp()) * 10**9
    assert summer == int(datetime(2024, 7, 2, 1, tzinfo=UTC).timestamp()) * 10**9


@given(st.text(alphabet="0123456789-/.:, TZJandecMoAPM+", max_size=40))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    TimeReader(now=_NOW).read(text)
