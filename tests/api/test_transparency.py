"""What everybody may know: figures, and nobody among them."""

import itertools
import re
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.account.erasure import sweep
from api.account.protection import protected
from api.account.settings import AccountSettings
from api.account.tally import DELAYS
from api.account.transparency import figures, publish
from api.times import iso
from tests.api.samples import NOON_US

DAY_US = 86_400_000_000


# -- thresholds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threshold", "cells"), [(3, 2), (3, 4), (3, 6), (4, 5), (5, 4)])
def test_whoever_knows_the_rule_and_every_cell_learns_nothing_of_a_small_count(threshold, cells):
    """Every table there is, sorted by how it is shown: behind each hidden cell every small count remains possible."""
    alike = defaultdict(list)
    for counts in itertools.product(range(threshold + 1), repeat=cells):
        shown = protected(dict(enumerate(counts)), threshold)
        alike[tuple(sorted(shown.cells.items())), shown.elsewhere].append(counts)
    for (shown, _), tables in alike.items():
        for cell in set(range(cells)) - dict(shown).keys():
            possible = {table[cell] for table in tables}
            if possible != {0}:
                assert possible >= set(range(1, threshold))


tables = st.dictionaries(st.integers(0, 30), st.integers(0, 40), max_size=25)


@given(tables, st.integers(3, 12))
def test_small_counts_are_hidden_and_sums_do_not_give_them_away(counts, threshold):
    shown = protected(counts, threshold)
    assert shown.cells == {cell: count for cell, count in counts.items() if count >= threshold}
    hidden = {cell: count for cell, count in counts.items() if 0 < count < threshold}
    assert 0 <= shown.elsewhere <= sum(hidden.values())  # true, and coarse
    assert shown.elsewhere % (2 * threshold) == 0
    # Differencing: from the total, take all that is shown and the most that the other hidden cells can be.
    rest = shown.total - sum(shown.cells.values())
    for _ in hidden:
        assert rest - (len(hidden) - 1) * (threshold - 1) <= 0
    # And it is no use to be told less than one could be: few are lost.
    bound = min(sum(hidden.values()), max(0, len(hidden) - 1) * (threshold - 1))
    assert bound - shown.elsewhere < 2 * threshold


@given(tables, st.integers(0, 30), st.integers(3, 12))
def test_one_person_more_or_less_shows_only_where_there_are_many(counts, cell, threshold):
    """Two pages that differ by one record: a small cell never differs."""
    more = dict(counts) | {cell: counts.get(cell, 0) + 1}
    before, after = protected(counts, threshold), protected(more, threshold)
    if more[cell] < threshold:
        assert before.cells == after.cells
        assert after.elsewhere - before.elsewhere in {0, 2 * threshold}
    else:
        assert all(count >= threshold for count in after.cells.values())


measures = st.fixed_dictionaries(
    {
        "crossing": st.dictionaries(
            st.builds("{:+.1f},{:+.1f} {}".format, st.sampled_from([31.0, 31.5, -0.5]), st.sampled_from([-110.5, 7.0]),
                      st.sampled_from(["person", "vehicle"])),
            st.integers(1, 60), max_size=8,
        ),
        "verdict": st.dictionaries(st.sampled_from(["confirmed", "dismissed", "pending"]), st.integers(0, 60)),
        "review": st.dictionaries(st.sampled_from([name for name, _ in DELAYS]), st.integers(1, 20)),
        "cue": st.dictionaries(st.sampled_from(["motion", "radar"]), st.integers(1, 60)),
    }
)  # fmt: skip


@given(measures, st.integers(3, 12))
def test_no_number_below_the_threshold_stands_anywhere(by_measure, threshold):
    page = figures(by_measure, "2026-01", threshold)
    counts = [cell["count"] for cell in page["crossings"]["cells"]] + list(page["cues"]["kinds"].values())
    assert all(count >= threshold for count in counts)
    verdicts = by_measure["verdict"]
    for name, share in page["review"].items():
        part, rest = verdicts.get(name, 0), sum(verdicts.values()) - verdicts.get(name, 0)
        if share is not None:
            assert part >= threshold
            assert rest == 0 or rest >= threshold
            assert share % 5 == 0
            assert abs(share - 100 * part / (part + rest)) <= 2.5
    spans = [name for name, _ in DELAYS for _ in range(by_measure["review"].get(name, 0))]
    median = page["median_delay"]["review"]
    assert median == (spans[(len(spans) - 1) // 2] if len(spans) >= threshold else None)


# -- publishing -----------------------------------------------------------------------------------------------------

SETTINGS = AccountSettings(threshold=3, publish_after_days=30)


def page(service):
    return service.http.get("/transparency.json").json()["months"]


def fill(service, crossing, count, *, month="2026-01", prefix="n", **more):
    ids = []
    for number in range(count):
        when = f"{month}-{number % 20 + 1:02d}T10:00:00Z"
        body = crossing(f"{prefix}{number}", **{"time": when, "update_time": when, "retention_days": 300} | more)
        ids.append(service.deliver(body))
    return ids


def test_a_month_is_published_once_after_its_time(service, crossing, clock):
    assert page(service) == []
    ids = fill(service, crossing, 7)
    fill(service, crossing, 2, prefix="few", kind="vehicle")
    fill(service, crossing, 4, prefix="else", lat=-0.25, lon=7.9)
    for record_id in ids[:5]:
        clock.now_us += 2 * 3_600_000_000
        service.judge(record_id)
    clock.now_us = NOON_US + 59 * DAY_US  # 1 March: January ended 29 days ago
    assert publish(service.store, SETTINGS) == []
    clock.now_us += 2 * DAY_US
    assert publish(service.store, SETTINGS) == ["2026-01"]
    (month,) = page(service)
    cells = {(*(cell["area"] or ()), cell["kind"]): cell["count"] for cell in month["crossings"]["cells"]}
    assert cells == {(-111.0, 31.0, -110.5, 31.5, "person"): 7, (7.5, -0.5, 8.0, 0.0, "person"): 4}
    assert (month["crossings"]["elsewhere_at_least"], month["crossings"]["total_at_least"]) == (0, 11)
    assert month["review"] == {"confirmed": 40, "dismissed": None, "pending": 60}
    assert month["median_delay"] == {"review": "within 12 hours", "release": None}
    # What comes, is judged or is erased later does not move what was said.
    fill(service, crossing, 5, prefix="late")
    service.judge(ids[6], "dismiss")
    service.ask("supervisor", "POST", "/erasures", json={"record_id": ids[0], "reason": "x"})
    clock.now_us += 40 * DAY_US
    sweep(service.store)
    assert publish(service.store, SETTINGS) == ["2026-02"]
    assert page(service)[-1] == month


def test_what_was_erased_is_counted_all_the_same(service, crossing, clock):
    """Retention is shorter than the delay: nothing is left when the month is published."""
    fill(service, crossing, 6, retention_days=1)
    clock.now_us += 2 * DAY_US
    assert sweep(service.store) == 6
    fill(service, crossing, 3, prefix="m")
    clock.now_us += 70 * DAY_US
    assert publish(service.store, SETTINGS)[0] == "2026-01"
    assert page(service)[-1]["crossings"]["cells"][0]["count"] == 9


def test_the_page_says_nothing_of_anybody(service, crossing, clock):
    secret = {"owner": "Zanzibar", "marking": "REL BRAVO", "border": "Kilimanjaro"}
    bravo = service.partner("bravo-agency")
    service.agree(bravo, fields=["kind", "position"])
    ids = fill(service, crossing, 5, **secret)
    clock.now_us += 75 * DAY_US
    publish(service.store, SETTINGS)
    for path in ("/transparency", "/transparency.json"):
        text = service.http.get(path).text
        for word in (*secret.values(), "bravo-agency", "vehicle-1", *ids, "31.333", "-110.94"):
            assert word not in text, (path, word)
        assert not re.search("[0-9a-f]{32}", text)
    (month, *_) = [each for each in page(service) if each["month"] == "2026-01"]
    assert month["sharing"] == {"partners": 1, "agreements": 1, "records": None, "fields": None}


def test_the_page_needs_no_script(service, crossing, clock):
    fill(service, crossing, 5)
    clock.now_us += 75 * DAY_US
    publish(service.store, SETTINGS)
    answer = service.http.get("/transparency")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", answer.text)
    assert "<h2>2026-01</h2>" in answer.text
    assert "style=" not in answer.text  # the policy would not let it in


def test_months_come_in_order_and_none_twice(service, crossing, clock):
    for month in ("2025-11", "2025-12", "2026-01"):
        fill(service, crossing, 3, month=month, prefix=month)
    clock.now_us += 100 * DAY_US
    done = publish(service.store, SETTINGS)
    assert done[:3] == ["2025-11", "2025-12", "2026-01"]
    assert publish(service.store, SETTINGS) == []
    assert [month["month"] for month in page(service)] == sorted(done, reverse=True)
    assert all(month < iso(clock.now_us)[:7] for month in done)


def test_a_number_of_months_in_the_past_is_not_asked_for(service, crossing, clock):
    fill(service, crossing, 3, month="1971-01", prefix="old")
    clock.now_us += 75 * DAY_US
    assert len(publish(service.store, SETTINGS)) <= 24
