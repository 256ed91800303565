"""Sharing with partners: rules, preview, release, recall, and the partner's own side of it."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook

from api.feeds.settings import FeedSettings
from api.outlets.tables import OutletRow
from api.trail.log import INSIDE, last_n
from tests.api.live import Target
from tests.api.samples import agreement_json, crossing_json

HERE = [[[-111, 31], [-110, 31], [-110, 32], [-111, 32], [-111, 31]]]
USUAL = {"kinds": ["person", "vehicle"], "area": {"type": "Polygon", "coordinates": HERE}}


def agree(live, **terms: Any) -> str:
    body = agreement_json(live.partner_id, **USUAL | terms)
    return live.ask("administrator", "POST", "/agreements", json=body).json()["id"]


def crossing(live, source_id: str, *, confirmed: bool = True, **changes: Any) -> str:
    body = crossing_json(source_id, **{"evidence": None, "retention_days": 3650} | changes)
    made = live.ask("pilot", "POST", "/crossings", json=body).json()["id"]
    if confirmed:
        seen = live.ask("analyst", "GET", f"/crossings/{made}").headers["ETag"]
        live.ask(
            "analyst", "POST", f"/crossings/{made}/reviews", json={"verdict": "confirm"}, headers={"If-Match": seen}
        )
    return made


def release(live, record_id: str) -> str:
    body = {"record_id": record_id, "partner_id": live.partner_id}
    return live.ask("supervisor", "POST", "/releases", json=body).json()["id"]


def releases(live, **query: Any) -> list[dict[str, Any]]:
    return live.ask("supervisor", "GET", "/releases", params=query).json()


PARTS = {
    "records": "Preview and release",
    "releases": "Releases",
    "agreements": "Agreements",
    "received": "Recalls and subscriptions",
    "outlets": "Outlets",
    "webhooks": "Webhooks",
}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("supervisor", ["Preview and release", "Releases", "Agreements", "Outlets", "Webhooks"]),
        ("administrator", ["Releases", "Agreements", "Outlets"]),
        ("auditor", ["Releases", "Agreements", "Outlets"]),
        ("partner", ["Recalls and subscriptions", "Webhooks"]),
    ],
)
def test_each_role_has_its_parts_and_opens_no_others_by_their_address(live, desk, role, expected):
    agree(live)
    release(live, crossing(live, "a"))
    at = desk(live, role, "#/share")
    parts = at.page.get_by_role("navigation", name="Share")
    for part, title in PARTS.items():
        at.open(f"#/share/{part}")
        expect(parts.get_by_role("link")).to_have_text(expected)
        expect(parts.locator("[aria-current=page]")).to_have_text(title if title in expected else expected[0])
    if role == "partner":
        return
    at.open("#/share/agreements")
    expect(at.page.get_by_role("region", name="Agreement with Coast guard")).to_be_visible()
    writes = role == "administrator"
    assert at.page.get_by_role("button", name="New agreement").is_visible() is writes
    assert at.page.get_by_role("button", name="End this agreement").is_visible() is writes
    at.picture(f"share-agreements-{role}")
    at.open("#/share/releases")
    expect(at.page.get_by_role("row", name="Coast guard")).to_contain_text("Stands")
    assert at.page.get_by_role("button", name="Recall").is_visible() is (role == "supervisor")
    at.picture(f"share-releases-{role}")


@pytest.mark.parametrize(("role", "first"), [("pilot", "plan"), ("analyst", "fly")])
def test_who_shares_nothing_has_none_of_it_by_its_address(live, desk, role, first):
    at = desk(live, role, "#/account")
    for part in PARTS:
        at.open(f"#/share/{part}")
        expect(at.page).to_have_url(f"{live.url}/#/{first}")
    expect(at.page.get_by_role("navigation", name="Share")).to_have_count(0)


def test_what_the_preview_shows_is_what_the_partner_gets(live, desk):
    agree(live, fields=["kind", "position", "direction"])
    shown, wrong = crossing(live, "shown"), crossing(live, "wrong", marking="REL NOBODY", kind="bicycle")
    at = desk(live, "supervisor", "#/share/records")
    page = at.page
    yes, no = (page.locator("table.records tbody tr").filter(has_text=kind) for kind in ("person", "bicycle"))
    expect(yes).to_contain_text("Yes, once released")
    expect(no).to_contain_text("marking REL NOBODY is not in the agreement")
    expect(no).to_contain_text("kind bicycle is not in the agreement")
    expect(no.get_by_role("checkbox")).to_be_disabled()
    yes.get_by_role("button", name="Compare").click()
    beside = page.get_by_role("region", name="Compare")
    expect(beside.get_by_role("row", name="track")).to_contain_text("withheld")
    expect(beside.get_by_role("row", name="direction")).not_to_contain_text("withheld")
    beside.get_by_text("Exactly as it is sent").click()
    previewed = json.loads(beside.locator("pre").inner_text())
    at.picture("share-preview")
    yes.get_by_role("checkbox").check()
    page.get_by_role("button", name="Release 1 crossing").click()
    dialog = page.get_by_role("dialog", name="Release to Coast guard")
    dialog.get_by_label("Reason").fill("asked for by letter")
    assert at.axe_in_every_theme() == []
    dialog.get_by_role("button", name="Release").click()
    expect(yes).to_contain_text("Sees it already")
    (got,) = live.ask("partner", "GET", "/crossings").json()["features"]
    for member in ("release_id", "released", "agreement_id"):
        del got["properties"][member]  # what the release itself adds
    assert got == previewed
    (made,) = releases(live)
    assert (made["record_id"], made["reason"]) == (shown, "asked for by letter")
    assert live.ask("supervisor", "GET", "/releases", params={"record_id": wrong}).json() == []


def test_several_are_released_at_once_and_come_up_as_they_are_confirmed(live, desk):
    agree(live)
    first = crossing(live, "first")
    at = desk(live, "supervisor", "#/share/records")
    rows = at.page.get_by_role("row", name="person")
    expect(rows).to_have_count(1)
    second = crossing(live, "second", time="2026-01-01T11:00:00Z", update_time="2026-01-01T11:00:00Z")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.get_by_role("checkbox").check()
    at.page.get_by_role("button", name="Release 2 crossings").click()
    at.page.get_by_role("dialog").get_by_role("button", name="Release", exact=True).click()
    expect(at.page.get_by_text("2 crossings were released")).to_be_visible()
    assert {made["record_id"] for made in releases(live)} == {first, second}


def test_a_recall_is_confirmed_at_one_desk_and_seen_at_the_other(live, desk):
    agree(live)
    release_id = release(live, crossing(live, "a"))
    inside, outside = desk(live, "supervisor", "#/share/releases"), desk(live, "partner", "#/share/received")
    row = inside.page.get_by_role("row", name="Coast guard")
    expect(row).to_contain_text("Stands")
    (made,) = releases(live)
    expect(row).to_contain_text(f"by {made['released_by_name']}")
    expect(outside.page.get_by_text("Nothing waits for your word.")).to_be_visible()
    row.get_by_role("button", name="Recall").click()
    dialog = inside.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the wrong person")
    assert inside.axe_in_every_theme() == []
    dialog.get_by_role("button", name="Recall", exact=True).click()
    expect(row).to_contain_text("waits for a receipt")
    expect(row).to_contain_text("the wrong person")
    outside.page.get_by_role("button", name="Confirm that it is erased").click()  # it came by itself
    outside.page.get_by_role("dialog").get_by_label("Note").fill("tapes too")
    assert outside.axe_in_every_theme() == []
    outside.page.get_by_role("button", name="It is erased", exact=True).click()
    expect(outside.page.get_by_text("Nothing waits for your word.")).to_be_visible()
    expect(row).to_contain_text("erased there")  # without anybody asking
    (kept,) = releases(live)
    assert (kept["id"], kept["recall_reason"], kept["receipt"] is not None) == (release_id, "the wrong person", True)
    assert live.ask("partner", "GET", "/recalls").json() == []


def test_a_receipt_that_came_by_letter_is_written_down(live, desk):
    agree(live)
    release_id = release(live, crossing(live, "a"))
    live.ask("supervisor", "DELETE", f"/releases/{release_id}", params={"reason": "in error"})
    at = desk(live, "supervisor", "#/share/releases")
    at.page.get_by_label("Show").select_option(label="Recalls that wait for a receipt")
    at.page.get_by_role("button", name="Write down a receipt").click()
    dialog = at.page.get_by_role("dialog")
    dialog.get_by_label("Given by").fill("N. N., Registry")
    dialog.get_by_label("How it came").fill("letter of 3 May")
    dialog.get_by_role("button", name="Write it down").click()
    expect(dialog.get_by_role("alert")).to_contain_text("tick that they say so")
    assert at.axe_in_every_theme() == []
    assert releases(live)[0]["receipt"] is None
    dialog.get_by_label("says that what it had is erased").check()
    dialog.get_by_role("button", name="Write it down").click()
    expect(at.page.get_by_text("There are no such releases.")).to_be_visible()
    assert releases(live)[0]["receipt"] is not None
    (entry,) = live.ask("auditor", "GET", "/audit/entries", params={"action": "recall.relay"}).json()["entries"]
    assert (entry["body"]["detail"]["given_by"], entry["body"]["detail"]["way"]) == (
        "N. N., Registry",
        "letter of 3 May",
    )


def write_terms(page) -> None:
    page.get_by_label("Partner").select_option(label="Coast guard of the neighbour")
    page.get_by_label("Purposes").fill("border-surveillance\nsearch-and-rescue")
    page.get_by_label("Markings").fill("REL BRAVO")


def test_an_agreement_is_drawn_refused_corrected_and_ended(live, desk):
    at = desk(live, "administrator", "#/share/agreements")
    page = at.page
    page.get_by_text("1 partner", exact=True).click()
    page.get_by_role("textbox", name="New partner").fill("Navy of the neighbour")
    page.get_by_role("button", name="Add", exact=True).dblclick()
    expect(page.get_by_role("row", name="Navy of the neighbour")).to_be_visible()
    assert len(live.ask("administrator", "GET", "/partners").json()) == 2
    page.get_by_role("button", name="New agreement").click()
    form = page.get_by_role("form", name="New agreement")
    write_terms(page)
    form.get_by_label("Valid until").fill("2040-07-01T12:00")
    expect(form.get_by_label("Valid until")).to_have_accessible_description("Local time (GMT+3) 2040-07-01 12:00")
    expect(form.get_by_text("Only in an area that is still to be drawn")).to_be_visible()
    form.get_by_label("direction").check()
    form.get_by_label("where a vehicle is now").check()
    form.get_by_label("Held back for").fill("2")
    form.get_by_role("button", name="Put it in force").click()
    expect(form.get_by_role("alert").last).to_contain_text("area is still to be drawn")
    canvas = page.locator(".maplibregl-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    corners = [(0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.3)]
    for x, y in corners:
        page.mouse.move(box["x"] + box["width"] * x - 5, box["y"] + box["height"] * y - 5)
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.mouse.down()
        page.mouse.up()
    expect(form.get_by_text("3 corners")).to_be_visible()
    form.get_by_role("button", name="Put it in force").click()
    at.forgiven.append("/agreements")  # the service refuses it
    expect(form.get_by_role("alert").last).to_contain_text("what is live cannot be held back")
    form.get_by_label("where a vehicle is now").uncheck()
    expect(form.get_by_text("Only in an area that is still to be drawn")).to_have_count(0)
    at.picture("share-agreement-form")
    assert at.axe_in_every_theme() == []
    form.get_by_role("button", name="Put it in force").click()
    shown = page.get_by_role("region", name="Agreement with Coast guard")
    expect(shown).to_contain_text("2 hours after it happened")
    (made,) = live.ask("auditor", "GET", "/agreements").json()
    assert made["terms"]["purposes"] == ["border-surveillance", "search-and-rescue"]
    assert made["terms"]["fields"] == ["kind", "direction", "position"]
    assert made["terms"]["delay_s"] == 7200
    assert datetime.fromisoformat(made["terms"]["valid_until"]) == datetime(2040, 7, 1, 9, tzinfo=UTC)
    (ring,) = made["terms"]["area"]["coordinates"]
    assert len(ring) == 4
    shown.get_by_role("button", name="End this agreement").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(shown).to_contain_text("Ended")
    assert live.ask("auditor", "GET", "/agreements").json()[0]["ended"] is not None


def test_an_area_is_imported_and_what_is_begun_outlives_a_lost_connection(live, desk):
    at = desk(live, "administrator", "#/share/agreements")
    page = at.page
    page.get_by_role("button", name="New agreement").click()
    write_terms(page)
    broken = {"name": "area.geojson", "mimeType": "application/json", "buffer": b'{"type": "Point"}'}
    page.get_by_label("Import GeoJSON").set_input_files(broken)
    expect(page.get_by_text("no polygon is in it")).to_be_visible()
    area = {"type": "Feature", "properties": {}, "geometry": USUAL["area"]}
    page.get_by_label("Import GeoJSON").set_input_files(broken | {"buffer": json.dumps(area).encode()})
    expect(page.get_by_text("4 corners")).to_be_visible()
    at.forgiven += ["ERR_INTERNET_DISCONNECTED", "console: Error ("]  # the base map's pieces do not come either
    page.context.set_offline(True)
    page.get_by_role("button", name="Put it in force").click()
    expect(page.get_by_text("the service cannot be reached")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("link", name="Releases").click()
    page.get_by_role("link", name="Agreements").click()
    page.get_by_role("button", name="New agreement").click()
    page.get_by_role("button", name="Put it in force").click()
    expect(page.get_by_role("region", name="Agreement with Coast guard")).to_be_visible()
    (made,) = live.ask("auditor", "GET", "/agreements").json()
    assert made["terms"]["area"]["coordinates"] == HERE


def test_a_partner_subscribes_under_its_agreement_and_asks_no_more(live, desk):
    agreement_id = agree(live, subscriptions=True)
    release(live, crossing(live, "a"))
    at = desk(live, "partner", "#/share")
    form = at.page.get_by_role("form", name="Subscribe")
    assert at.page.locator("#own-agreements option").get_attribute("value") == agreement_id
    expect(form.get_by_label("Number of the agreement")).to_have_value(agreement_id)  # there is no other
    form.get_by_label("Asked for").select_option(label="Only some kinds of crossings")
    form.get_by_label("vehicle").check()
    form.get_by_role("button", name="Subscribe").dblclick()
    end = at.page.get_by_role("button", name="End this subscription")
    expect(end).to_be_visible()
    (made,) = live.ask("partner", "GET", "/subscriptions").json()
    assert made["wish"]["kinds"] == ["vehicle"]
    end.click()
    at.page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(end).to_have_count(0)
    assert live.ask("partner", "GET", "/subscriptions").json()[0]["ended"] is not None


def test_outlets_say_how_far_they_are_and_why_one_does_not_move(live, desk):
    agree(live)
    now_us = live.service.store.clock()
    usual = {"moved_us": now_us, "holder": None, "held_us": 0}
    with live.service.store.write() as session:
        last = last_n(session, INSIDE)
        session.add(OutletRow(name="tak north", audience=INSIDE, n=last, problem=None, **usual))
        refused = "the server refuses our certificate"
        session.add(OutletRow(name="mqtt", audience=live.partner_id, n=0, problem=refused, **usual))
    release(live, crossing(live, "a"))
    at = desk(live, "auditor", "#/share/outlets")
    behind = last_n_of(live, INSIDE) - last
    expect(at.page.get_by_role("row", name="tak north")).to_contain_text(f"{behind} events")
    expect(at.page.get_by_role("row", name="tak north")).to_contain_text("those inside")
    row = at.page.get_by_role("row", name="mqtt")
    expect(row).to_contain_text("Coast guard of the neighbour")
    expect(row).to_contain_text(f"nothing yet 1 eventDoes not move: {refused}")
    assert at.axe() == []


def last_n_of(live, audience: str) -> int:
    with live.service.store.read() as session:
        return last_n(session, audience)


def test_a_webhook_is_made_looked_after_and_taken_away(peopled, served, desk, tmp_path):
    target = Target()
    feeds = FeedSettings(poll_s=0.05, loopback_targets=True, first_wait_s=0.1)
    with served(peopled, tmp_path / "service", feeds=feeds) as live:
        agree(live)
        at = desk(live, "partner", "#/share/webhooks")
        page, dialog = at.page, at.page.get_by_role("dialog")
        form = page.get_by_role("form", name="Add a webhook")
        form.get_by_label("Address to call").fill(target.url)
        form.get_by_label("Kinds of events").fill("release.made")
        at.forgiven.append("/webhooks")
        form.get_by_role("button", name="Add a webhook").click()
        expect(form.get_by_role("alert")).to_contain_text("no event is of kind 'release.made'")
        form.get_by_label("Kinds of events").fill("release.created")
        form.get_by_role("button", name="Add a webhook").click()
        secret = dialog.get_by_label("Secret").text_content()
        dialog.get_by_role("button", name="It is noted: close").click()
        row = page.get_by_role("row", name=target.url)
        release(live, crossing(live, "a"))
        headers, body = target.wait(1)[0]
        Webhook(secret).verify(body, headers)
        while live.ask("partner", "GET", "/webhooks").json()[0]["after"] == 0:  # its answer is not written down yet
            time.sleep(0.02)
        row.get_by_role("button", name="Deliveries").click()
        expect(dialog.get_by_role("row", name="release.created")).to_contain_text("taken (204)")
        assert at.axe() == []
        at.picture("share-webhooks")
        dialog.get_by_role("button", name="Close").last.click()

        row.get_by_role("button", name="Pause").click()
        dialog.get_by_role("button", name="Pause").click()
        expect(row).to_contain_text("paused by its owner")
        row.get_by_role("button", name="New secret").click()
        dialog.get_by_role("button", name="New secret").click()
        renewed = dialog.get_by_label("Secret").text_content()
        dialog.get_by_role("button", name="It is noted: close").click()
        release(live, crossing(live, "b"))
        row.get_by_role("button", name="Go on").click()
        dialog.get_by_role("button", name="Go on").click()
        headers, body = target.wait(2)[1]
        Webhook(renewed).verify(body, headers)
        row.get_by_role("button", name="Remove").click()
        dialog.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("No address is called.")).to_be_visible()
        assert live.ask("partner", "GET", "/webhooks").json() == []
    target.close()


def test_everybody_can_use_it_in_every_theme(live, desk):
    agree(live, subscriptions=True)
    release_id = release(live, crossing(live, "a"))
    release(live, crossing(live, "b", marking="REL BRAVO", kind="vehicle"))
    crossing(live, "c", kind="bicycle")
    live.ask("supervisor", "DELETE", f"/releases/{release_id}", params={"reason": "in error"})
    places = {
        "supervisor": {
            "records": ("row", "bicycle"),
            "releases": ("row", "Coast guard"),
            "agreements": ("region", "Agreement with Coast guard"),
        },
        "partner": {"received": ("region", "Recalls to confirm")},
    }
    for role, parts in places.items():
        at = desk(live, role, "#/share", width=1024, height=768)
        for part, (kind, name) in parts.items():
            at.open(f"#/share/{part}")
            expect(at.page.get_by_role(kind, name=name).first).to_be_visible()
            expect(at.page.get_by_text("Loading")).to_have_count(0)
            if part == "records":
                at.page.get_by_role("button", name="Compare").first.click()
            assert at.axe_in_every_theme(f"share-{part}") == [], (role, part)
