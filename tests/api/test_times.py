"""Times on the wire: one form for one moment, whatever zone it came in."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, TypeAdapter

from api.times import iso_of, iso_of_text

AWARE = TypeAdapter(AwareDatetime)
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28), timezones=ZONES))  # noqa: DTZ001 - bounds have none
def test_a_moment_is_written_as_utc_to_the_microsecond_in_any_year(moment):
    expected = moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert iso_of(moment) == expected
    assert iso_of_text(AWARE.dump_python(moment, mode="json")) == expected
