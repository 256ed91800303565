"""The audit and its chain, retention and erasure, accounts and keys, and everybody's own sessions."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Route, expect

from api.account.settings import AccountSettings
from api.account.transparency import publish
from api.feeds.settings import FeedSettings
from tests.api.live import Target
from tests.api.people import PASSWORD
from tests.api.samples import crossing_json
from tests.console.desk import log_in
from tests.console.test_share import crossing

FRESH = "eleven loud herons fly"
PARTS = {
    "audit": "Audit",
    "accounts": "Accounts",
    "keys": "Keys",
    "erasure": "Holds and erasure",
    "retention": "Retention",
    "review": "Rules of review",
    "transparency": "Transparency",
    "mine": "Mine",
}

COPIED = """async text => {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await navigator.clipboard.readText() === text) return true;
    await new Promise(go => setTimeout(go, 50));
  }
  return false;
}"""


def deliver(live, source_id: str = "a") -> str:
    body = crossing_json(source_id, evidence=None, retention_days=3650)
    return live.ask("pilot", "POST", "/crossings", json=body).json()["id"]


def go(at, part: str):
    at.open(f"#/account/{part}")
    expect(at.page.get_by_role("navigation", name="Account")).to_be_visible()
    return at.page


def confirm(page, act: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=act, exact=True).click()


@pytest.mark.parametrize(
    ("role", "parts"),
    [
        ("auditor", ["Audit", "Holds and erasure", "Retention", "Rules of review", "Transparency", "Mine"]),
        ("administrator", ["Accounts", "Keys", "Retention", "Rules of review", "Transparency", "Mine"]),
        ("supervisor", ["Holds and erasure", "Retention", "Rules of review", "Transparency", "Mine"]),
        ("pilot", ["Mine"]),
        ("analyst", ["Mine"]),
        ("partner", ["Mine"]),
    ],
)
def test_each_role_has_its_parts_and_opens_no_others_by_their_address(live, desk, role, parts):
    at = desk(live, role, "#/account")
    for part, title in PARTS.items():
        page = go(at, part)
        links = page.get_by_role("navigation", name="Account").get_by_role("link")
        expect(links).to_have_text(parts)
        shown = page.get_by_role("navigation", name="Account").locator("[aria-current=page]")
        expect(shown).to_have_text(title if title in parts else parts[0])


def test_the_audit_is_looked_through_by_person_deed_and_object(live, desk):
    first, second = deliver(live), deliver(live, "b")
    at = desk(live, "auditor", "#/account/audit")
    page = at.page
    rows = page.get_by_role("region", name="Entries").locator("tbody tr")
    expect(rows.first).to_be_visible()
    page.get_by_label("Deed").fill("crossing.deliver")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(second[:8])  # the newest first
    page.get_by_role("button", name=first[:8]).click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Person").fill("chief of nobody")
    expect(page.get_by_text("No entry is like that.")).to_be_visible()
    page.get_by_label("Person").fill("Key of the pilot")
    expect(rows).to_have_count(2)
    page.get_by_label("Before").fill("2026-01-01T00:00")
    expect(rows).to_have_count(0)


def test_moments_are_looked_for_in_the_clock_that_is_shown(live, desk):
    deliver(live)
    at = desk(live, "auditor", "#/account/audit")  # in Athens, hours ahead of UTC
    page = at.page
    page.get_by_label("Deed").fill("crossing.deliver")
    rows = page.get_by_role("region", name="Entries").locator("tbody tr")
    expect(rows).to_have_count(1)
    at.prefer("Times", "UTC")
    expect(page.get_by_label("From")).to_have_accessible_description("UTC")
    soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    page.get_by_label("From").fill(soon)
    expect(rows).to_have_count(0)  # what is read as local time is an hour ago there
    page.get_by_label("From").fill("")
    page.get_by_label("Before").fill(soon)
    expect(rows).to_have_count(1)
    at.prefer("Times", "Local")
    expect(page.get_by_label("Before")).to_have_accessible_description(re.compile(r"Local time \(GMT\+[23]\)"))
    there = datetime.strptime(soon + "+0000", "%Y-%m-%dT%H:%M%z").astimezone(ZoneInfo("Europe/Athens"))
    expect(page.get_by_label("Before")).to_have_value(there.strftime("%Y-%m-%dT%H:%M"))
    expect(rows).to_have_count(1)  # the moment is the same


def test_a_long_audit_comes_page_by_page_without_a_gap(live, desk):
    for _ in range(110):
        live.ask("supervisor", "GET", "/partners")
    at = desk(live, "auditor", "#/account/audit")
    page = at.page
    page.get_by_label("Person").fill("key of the supervisor")  # pages of this one list partners too
    page.get_by_label("Deed").fill("partner.list")
    rows = page.get_by_role("region", name="Entries").locator("tbody tr")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="More").click()
    expect(rows).to_have_count(110)
    numbers = [int(text) for text in page.locator("tbody td:first-child").all_inner_texts()]
    assert numbers == sorted(set(numbers), reverse=True)


def test_a_whole_chain_is_verified_and_a_broken_one_cannot_be_overlooked(live, desk):
    deliver(live)
    at = desk(live, "auditor", "#/account/audit")
    page = at.page
    chain = page.get_by_role("region", name="The chain")
    expect(chain).to_contain_text("Not verified")
    page.get_by_role("button", name="Verify the chain").click()
    expect(chain).to_contain_text("nothing was changed, removed or moved")
    (entry,) = live.ask("auditor", "GET", "/audit/entries", params={"action": "crossing.deliver"}).json()["entries"]
    database = live.directory / "vedette.sqlite"
    with closing(sqlite3.connect(database)) as raw:  # as somebody with the database would
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE audit SET body = replace(body, 'pilot', 'nobody') WHERE seq = ?", (entry["seq"],))
        raw.commit()
    page.get_by_role("button", name="Verify the chain").click()
    expect(chain.get_by_role("alert")).to_contain_text(f"tampered with at entry {entry['seq']}")
    page.get_by_label("Deed").fill("crossing.deliver")
    expect(page.locator("tbody tr").first).to_contain_text("not to be trusted")
    at.picture("account-chain-broken")
    assert at.axe_in_every_theme() == []


def test_retention_is_set_changed_and_ended_by_an_administrator_alone(live, desk):
    page = desk(live, "administrator", "#/account/retention").page
    form = page.get_by_role("form", name="Set the rule")
    for days in ("90", "30"):
        form.get_by_label("Purpose").fill("border-surveillance")
        form.get_by_label("At most, in days").fill(days)
        form.get_by_role("button", name="Set the rule").click()
        expect(page.get_by_role("dialog")).to_contain_text(f"more than {days} days ago are erased")
        confirm(page, "Set it")
        expect(page.get_by_role("row", name="border-surveillance")).to_contain_text(f"{days} days")
    (rule,) = live.ask("auditor", "GET", "/retention").json()
    assert (rule["purpose"], rule["days"]) == ("border-surveillance", 30)
    other = desk(live, "auditor", "#/account/retention").page
    expect(other.get_by_role("row", name="border-surveillance")).to_contain_text("30 days")
    expect(other.get_by_role("button", name="End the rule")).to_have_count(0)
    page.get_by_role("button", name="End the rule").click()
    confirm(page, "End it")
    expect(page.get_by_text("There are no rules")).to_be_visible()
    assert live.ask("auditor", "GET", "/retention").json() == []


def test_a_hold_keeps_a_record_and_erasure_takes_it_for_good(live, desk):
    record = deliver(live)
    at = desk(live, "supervisor", "#/account/erasure")
    page = at.page
    holding = page.get_by_role("form", name="Place a hold")
    holding.get_by_label("Id of the record").fill(record)
    holding.get_by_label("Reason").fill("court order 5")
    holding.get_by_role("button", name="Place a hold").dblclick()
    expect(page.get_by_role("row", name="court order 5")).to_contain_text("Held")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    (hold,) = live.ask("supervisor", "GET", "/holds").json()
    person = page.get_by_role("row", name="court order 5").locator("code").last
    assert person.inner_text() == hold["placed_by"][:8] != hold["placed_by"]
    person.dblclick()
    page.keyboard.press("Control+c")
    assert page.evaluate(COPIED, hold["placed_by"])
    erasing = page.get_by_role("region", name="Erase a record")
    erasing.get_by_label("Id of the record").fill(record)
    erasing.get_by_label("Law and case").fill("LED 16, case 7")
    erasing.get_by_role("button", name="Erase this record").click()
    dialog = page.get_by_role("dialog")
    act = dialog.get_by_role("button", name="Erase it for good")
    expect(act).to_be_disabled()
    dialog.get_by_label(f"Type {record[:8]} to confirm").fill(record[:8])
    at.picture("account-erase")
    at.forgiven.append("/erasures")  # the hold is in the way
    act.click()
    expect(dialog.get_by_role("alert")).to_contain_text("is on legal hold")
    assert at.axe_in_every_theme() == []
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Lift the hold").click()
    dialog.get_by_label("Reason").fill("withdrawn")
    waiting: list[Route] = []

    def hold_back(route: Route) -> None:
        waiting.append(route)

    page.route("**/lift", hold_back)
    confirm(page, "Lift it")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_disabled()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialog.get_by_label("Reason")).to_have_value("withdrawn")  # what is being done cannot be left
    waiting[0].continue_()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row", name="court order 5")).to_contain_text("withdrawn")
    erasing.get_by_role("button", name="Erase this record").click()
    dialog.get_by_label(f"Type {record[:8]} to confirm").fill(record[:8])
    act.click()
    expect(page.get_by_role("region", name="Tombstones")).to_contain_text("LED 16, case 7")
    (tombstone,) = live.ask("auditor", "GET", "/tombstones").json()["tombstones"]
    assert (tombstone["record_id"], tombstone["rule"]) == (record, "LED 16, case 7")
    assert live.ask("analyst", "GET", "/crossings").json()["features"] == []


def test_a_supervisor_reads_the_rules_calls_a_system_inside_and_erases_with_a_second_one(
    peopled, served, desk, tmp_path
):
    target = Target()
    account = AccountSettings(two_people_erase=True, threshold=3)
    settings = {"account": account, "feeds": FeedSettings(loopback_targets=True)}
    with served(peopled, tmp_path / "service", **settings) as live:
        record = deliver(live)
        live.ask("administrator", "PUT", "/retention/border-surveillance", json={"days": 90})
        made = {"login": "second", "name": "Second", "role": "supervisor"}
        secret = live.ask("administrator", "POST", "/accounts", json=made).json()["secret"]
        assert log_in(live.url, "second", secret, new_password=FRESH).is_success
        for number in range(9):
            crossing(live, f"n{number}", confirmed=number < 6)
        assert "2026-01" in publish(live.service.store, account)
        at = desk(live, "supervisor", "#/account/retention")
        page = at.page
        expect(page.get_by_role("row", name="border-surveillance")).to_contain_text("90 days")
        for part, region in {"review": "Rules of review", "transparency": "Transparency"}.items():
            assert page.get_by_role("form").count() == 0
            go(at, part)
            expect(page.get_by_role("region", name=region, exact=True)).to_be_visible()
        assert page.get_by_role("form").count() == 0
        january_is_told(page)
        at.picture("account-transparency-figures")

        at.open("#/share/webhooks")
        form, dialog = page.get_by_role("form", name="Add a webhook"), page.get_by_role("dialog")
        form.get_by_label("Address to call").fill(target.url)
        form.get_by_role("button", name="Add a webhook").click()
        dialog.get_by_role("button", name="It is noted").click()
        row = page.get_by_role("row", name=target.url)
        expect(row).to_be_visible()
        at.picture("share-webhooks-supervisor")
        row.get_by_role("button", name="Remove").click()
        confirm(page, "Remove")
        expect(page.get_by_text("No address is called.")).to_be_visible()

        ask_to_erase(at, record)
        expect(page.get_by_text("It waits for a second person")).to_be_visible()
        assert live.ask("auditor", "GET", "/tombstones").json()["tombstones"] == []
        at.forgiven.append("/erasures")
        ask_to_erase(at, record)  # the same person again is no second one
        expect(dialog.get_by_role("alert")).to_contain_text("a second person has to do it")
        dialog.get_by_role("button", name="Cancel").click()
        assert live.ask("auditor", "GET", "/tombstones").json()["tombstones"] == []
        at.picture("account-second-person")
        with at.as_nobody():
            at.log_out()
            at.fill_in("second", FRESH)
            expect(page.get_by_role("navigation", name="Views")).to_be_visible()
        ask_to_erase(at, record)
        expect(page.get_by_role("region", name="Tombstones")).to_contain_text("LED 16, case 7")
        (tombstone,) = live.ask("auditor", "GET", "/tombstones").json()["tombstones"]
        assert tombstone["record_id"] == record
    target.close()


def january_is_told(page) -> None:
    """Ten crossings in one field of half a degree, six of them confirmed."""
    month = page.get_by_role("row", name="2026-01")
    for said in ("at least 10", "Person: 10 (-111, 31, -110.5, 31.5)", "confirmed: 60 %", "pending: 40 %"):
        expect(month).to_contain_text(said)
    expect(month).to_contain_text("dismissed: too few to say")
    expect(page.get_by_text("Counts below 3 are not shown.")).to_be_visible()


def ask_to_erase(at, record: str) -> None:
    erasing = go(at, "erasure").get_by_role("region", name="Erase a record")
    erasing.get_by_label("Id of the record").fill(record)
    erasing.get_by_label("Law and case").fill("LED 16, case 7")
    erasing.get_by_role("button", name="Erase this record").click()
    at.page.get_by_role("dialog").get_by_label(f"Type {record[:8]} to confirm").fill(record[:8])
    confirm(at.page, "Erase it for good")


def test_an_account_is_made_its_secret_shown_once_and_the_account_disabled(live, desk):
    at = desk(live, "administrator", "#/account/accounts")
    at.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = at.page
    form = page.get_by_role("form", name="Make an account")
    form.get_by_label("Login").fill("nora")
    form.get_by_label("Name").fill("Nora")
    form.get_by_label("Role").select_option(label="analyst")
    form.get_by_role("button", name="Make an account").dblclick()  # another of that login would be refused
    dialog = page.get_by_role("dialog", name="Secret of nora")
    secret = dialog.get_by_label("Secret", exact=True).inner_text()
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    dialog.get_by_role("button", name="It is noted").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    assert log_in(live.url, "nora", secret, new_password=FRESH).status_code == 200
    form.get_by_label("Login").fill("guard")
    form.get_by_label("Name").fill("Duty officer")
    form.get_by_label("Role").select_option(label="partner")
    form.get_by_role("combobox", name="Partner").select_option(label="Coast guard of the neighbour")
    form.get_by_role("button", name="Make an account").click()
    theirs = page.get_by_role("dialog", name="Secret of guard").get_by_label("Secret", exact=True).inner_text()
    page.get_by_role("button", name="It is noted").click()
    let_in = log_in(live.url, "guard", theirs, new_password=FRESH)
    who = httpx.get(f"{live.url}/me", cookies=dict(let_in.cookies)).json()
    assert (who["role"], who["partner_id"]) == ("partner", live.partner_id)
    row = page.get_by_role("row", name="nora")
    row.get_by_role("button", name="New secret").click()
    confirm(page, "New secret")
    renewed = dialog.get_by_label("Secret", exact=True).inner_text()
    dialog.get_by_role("button", name="It is noted").click()
    assert log_in(live.url, "nora", FRESH).status_code == 401
    assert log_in(live.url, "nora", renewed, new_password=FRESH + " too").status_code == 200
    row.get_by_role("button", name="Disable").click()
    confirm(page, "Disable")
    expect(row).to_contain_text("Disabled")
    assert log_in(live.url, "nora", FRESH + " too").status_code == 401


def test_a_key_is_issued_works_and_is_revoked(live, desk):
    at = desk(live, "administrator", "#/account/keys")
    page = at.page
    form = page.get_by_role("form", name="Issue a key")
    form.get_by_label("Name").fill("gate")
    form.get_by_label("Sources").fill("gate, gate-*")
    form.get_by_role("button", name="Issue a key").dblclick()
    dialog = page.get_by_role("dialog", name="Secret of gate")
    key = dialog.get_by_label("Secret", exact=True).inner_text()
    assert [each["name"] for each in live.ask("administrator", "GET", "/keys").json()].count("gate") == 1
    assert at.axe_in_every_theme() == []
    dialog.get_by_role("button", name="It is noted").click()
    bearer = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{live.url}/me", headers=bearer).json()["role"] == "sensor"
    row = page.get_by_role("row", name="gate", exact=False)
    expect(row).to_contain_text("gate, gate-*")
    row.get_by_role("button", name="Revoke").click()
    assert at.axe_in_every_theme() == []
    confirm(page, "Revoke")
    expect(row).to_contain_text("Revoked")
    assert httpx.get(f"{live.url}/me", headers=bearer).status_code == 401


def test_rules_of_review_are_written_and_over_somebody_elses_only_by_who_was_told(live, desk):  # noqa: PLR0915 - one flow of a person
    at = desk(live, "administrator", "#/account/review")
    page = at.page
    form = page.get_by_role("form", name="Write the rules")
    minutes, write = form.get_by_label("Minutes that a claim lasts"), form.get_by_role("button", name="Write the rules")
    worth = form.get_by_role("group", name="What a crossing is worth")
    two = form.get_by_role("group", name="What two people have to confirm")
    dialog = page.get_by_role("dialog", name="Write the rules")
    minutes.fill("5")
    first = worth.get_by_role("group", name="Rule 1")
    expect(first.get_by_label("inbound")).to_be_checked()  # the usual rule, as it stands above
    first.get_by_label("Confidence at least").fill("2")
    write.click()
    expect(form.get_by_role("alert")).to_contain_text("a confidence is from 0 to 1")
    first.get_by_role("button", name="Remove the rule").click()
    two.get_by_role("button", name="Add a rule").click()
    two.get_by_label("Vehicle", exact=True).check()
    write.click()
    expect(dialog).to_contain_text("There will be 1 rule for what two people have to confirm.")
    dialog.get_by_role("button", name="Put them in force").dblclick()  # a second time would be refused
    expect(page.get_by_text("stays claimed for 5 minutes")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="What crosses: Vehicle")).to_be_visible()
    told = live.ask("auditor", "GET", "/reviews/policy")
    assert told.json()["policy"]["claim_s"] == 300

    newer = {"claim_s": 600}
    live.ask("administrator", "PUT", "/reviews/policy", json=newer, headers={"If-Match": told.headers["ETag"]})
    minutes.fill("7")
    at.forgiven.append("/reviews/policy")
    write.click()
    confirm(page, "Put them in force")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has written other rules meanwhile")
    expect(page.get_by_text("stays claimed for 10 minutes")).to_be_visible()
    assert live.ask("auditor", "GET", "/reviews/policy").json()["policy"]["claim_s"] == 600
    expect(minutes).to_have_value("7")
    expect(two.get_by_label("Vehicle", exact=True)).to_be_checked()
    write.click()
    expect(dialog).to_contain_text("There will be 1 rule for what two people have to confirm.Now there are 0.")
    confirm(page, "Put them in force")
    expect(page.get_by_text("stays claimed for 7 minutes")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    policy = live.ask("auditor", "GET", "/reviews/policy").json()["policy"]
    assert (policy["claim_s"], policy["two_people"][0]["kinds"]) == (420, ["vehicle"])
    worth.get_by_role("button", name="Add a rule").click()
    worth.get_by_role("button", name="Add a rule").click()
    second = worth.get_by_role("group", name="Rule 2")
    second.get_by_label("Markings").fill("REL TO USA, GBR\nREL CHARLIE")
    second.get_by_label("Such a crossing is").select_option("detection")
    second.get_by_role("button", name="Up").click()
    two.get_by_role("button", name="Remove the rule").click()
    write.click()
    expect(dialog).to_contain_text("Nothing will need two people")
    confirm(page, "Put them in force")
    expect(page.get_by_role("listitem").filter(has_text="Markings: REL TO USA, GBR, REL CHARLIE")).to_be_visible()
    policy = live.ask("auditor", "GET", "/reviews/policy").json()["policy"]
    assert [(rule["severity"], rule["markings"]) for rule in policy["severity"]] == [
        ("detection", ["REL TO USA, GBR", "REL CHARLIE"]),
        ("alert", None),
    ]
    at.picture("account-rules")
    assert at.axe() == []


def test_ones_own_sessions_are_ended_and_the_password_changed(live, desk):
    assert log_in(live.url, "analyst", PASSWORD).status_code == 200  # somewhere else
    at = desk(live, "analyst", "#/account/mine")
    page = at.page
    sessions = page.get_by_role("region", name="Where you are logged in").locator("tbody tr")
    expect(sessions.filter(has_text="This one")).to_have_count(1)
    others = page.get_by_role("button", name="End all others")
    expect(others).to_be_enabled()
    others.click()
    expect(sessions).to_have_count(1)
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(FRESH)
    page.get_by_label("New password again").fill(FRESH + "!")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("are not alike")).to_be_visible()
    page.get_by_label("New password again").fill(FRESH)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password was changed")).to_be_visible()
    assert log_in(live.url, "analyst", PASSWORD).status_code == 401
    assert log_in(live.url, "analyst", FRESH).status_code == 200
    page.get_by_label("Old password").fill(FRESH)  # again, under the token of the new session
    for label in ("New password", "New password again"):
        page.get_by_label(label, exact=True).fill(FRESH + " twice")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_label("Old password")).to_have_value("")
    assert log_in(live.url, "analyst", FRESH + " twice").status_code == 200


def test_everybody_can_use_it_in_every_theme(live, desk):
    record = deliver(live)
    live.ask("administrator", "PUT", "/retention/border-surveillance", json={"days": 90})
    live.ask("supervisor", "POST", "/holds", json={"record_id": record, "reason": "court order"})
    places = {
        "auditor": {
            "audit": "Entries",
            "erasure": "Tombstones",
            "retention": "Retention",
            "review": "Rules of review",
            "transparency": "Transparency",
            "mine": "Where you are logged in",
        },
        "administrator": {"accounts": "Accounts", "keys": "Keys", "review": "Rules of review"},
    }
    for role, parts in places.items():
        at = desk(live, role, "#/account", width=1024, height=768)
        for part, region in parts.items():
            page = go(at, part)
            expect(page.get_by_role("region", name=region, exact=True)).to_be_visible()
            expect(page.get_by_text("Loading")).to_have_count(0)
            assert at.axe_in_every_theme() == [], (role, part)
            at.picture(f"account-{part}-{role}")
