"""The frame of the page: way in and out, views by role, themes, the marking, the policy it runs under."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.api.people import PASSWORD
from tests.console.desk import ROLES, THEMES, told_apart

VIEWS = {
    "pilot": ["Plan", "Fly", "Review", "Account"],
    "analyst": ["Fly", "Review", "Account"],
    "supervisor": ["Fly", "Review", "Share", "Account"],
    "partner": ["Fly", "Review", "Share", "Account"],
    "auditor": ["Share", "Account"],
    "administrator": ["Share", "Account"],
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_its_views(live, desk, role):
    at = desk(live, role, "#/account")
    page = at.page
    links = page.get_by_role("navigation", name="Views").get_by_role("link")
    assert links.all_inner_texts() == VIEWS[role]
    with at.as_nobody():
        at.log_out()
        expect(page.get_by_label("Login")).to_be_visible()
        expect(page).to_have_title("Log in · Vedette")
        page.reload()
        expect(page.get_by_label("Login")).to_be_visible()
        for where in ("top", "bottom"):
            expect(page.locator(f".banner.{where}")).to_be_in_viewport(ratio=1)


def test_a_wrong_password_is_refused_and_a_one_time_secret_replaced(live, desk):
    secret = live.ask("administrator", "POST", "/accounts", json={"login": "new", "name": "New", "role": "analyst"})
    at = desk(live, None)
    at.forgiven.append("/login")
    page = at.page
    with at.as_nobody():
        at.open()
        at.fill_in("new", "nothing like it at all")
        expect(page.get_by_role("alert")).not_to_be_empty()
        page.get_by_label("Password", exact=True).fill(secret.json()["secret"])
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("New password").fill("eleven loud herons fly")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("New analyst")).to_be_visible()


def test_a_session_that_ends_under_a_dialog_is_begun_again_and_the_dialog_goes_on(live, desk):
    at = desk(live, "administrator", "#/share/agreements")
    page = at.page
    page.get_by_text("1 partner", exact=True).click()
    page.get_by_role("button", name="End Coast guard of the neighbour").click()
    dialog = page.get_by_role("dialog", name="End Coast guard of the neighbour")
    word = dialog.get_by_label("Type Coast guard of the neighbour to confirm")
    word.fill("Coast guard of the neighbour")
    at.forgiven.append("401")
    page.context.clear_cookies()
    dialog.get_by_role("button", name="End it").click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")  # keys of the page rest: it is hidden
    page.get_by_label("Login").click()
    page.keyboard.type("chief")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(word).to_have_value("Coast guard of the neighbour")
    expect(page.get_by_role("dialog")).to_have_count(1)
    (partner,) = live.ask("administrator", "GET", "/partners").json()
    assert partner["ended"] is None
    dialog.get_by_role("button", name="End it").click()
    expect(dialog).to_have_count(0)
    (partner,) = live.ask("administrator", "GET", "/partners").json()
    assert partner["ended"] is not None


def test_passwords_are_masked_and_may_be_pasted(live, desk):
    at = desk(live, None, permissions=["clipboard-read", "clipboard-write"])
    with at.as_nobody():
        at.open()
        at.page.get_by_label("Login").fill("analyst")
    field = at.page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_attribute("autocomplete", "current-password")
    at.page.evaluate("text => navigator.clipboard.writeText(text)", PASSWORD)
    field.press("Control+v")
    field.press("Enter")
    expect(at.page.get_by_role("button", name="Log out")).to_be_visible()


def test_the_page_runs_under_a_strict_policy_and_nothing_leaves_the_host(live, desk):
    at = desk(live, "supervisor")
    answer = at.page.request.get(live.url)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    before = in_each_theme(at.page, "Account")
    for view in VIEWS["supervisor"]:
        at.page.get_by_role("link", name=view, exact=True).click()
        expect(at.page.get_by_role("heading", level=1)).to_be_visible()
        expect(at.page).to_have_title(f"{view} · Vedette")
    at.page.mouse.move(1, 1)
    assert all(map(told_apart, before, in_each_theme(at.page, "Account")))  # which view is open
    # Another host that is there and would answer: the page does not even ask.
    hits = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}/"
        assert at.page.request.get(url).ok
        assert hits == ["/"]
        assert at.page.evaluate("url => fetch(url).then(() => 'left', () => 'kept')", url) == "kept"
        other.shutdown()
    assert hits == ["/"]
    at.forgiven.append(url)
    assert len(at.requests) > 5
    at.requests = [asked for asked in at.requests if asked != url]


def in_each_theme(page, view):
    """Pictures of the link to a view."""
    link = page.get_by_role("navigation", name="Views").get_by_role("link", name=view)
    pictures = []
    for theme in THEMES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        pictures.append(link.screenshot())
    return pictures


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, "could not be loaded: the service is out of reach"),
        ("throw new Error('a fault of its own')", "has failed: a fault of its own"),
        ("export default () => { throw new Error('a fault of its own') }", "has failed: a fault of its own"),
    ],
)
def test_a_view_that_did_not_come_is_told_from_one_that_fails(live, desk, code, said):
    at = desk(live, "analyst", "#/review")
    at.forgiven.append("ERR_FAILED")
    page = at.page

    def answer(route):
        if code is None:
            route.abort()
        else:
            route.fulfill(body=code, content_type="text/javascript")

    page.route("**/console/account-*.js", answer)
    page.get_by_role("link", name="Account", exact=True).click()
    alert = page.get_by_role("main").get_by_role("alert")
    expect(alert).to_contain_text(said)
    assert ("out of reach" in alert.inner_text()) is (code is None)
    page.unroute_all()
    alert.get_by_role("button", name="Load the page again").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_themes_and_the_marking_last(live, desk):
    at = desk(live, "analyst")
    page = at.page
    for theme in THEMES:
        at.prefer("Theme", theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        expect(page.locator(".banner.top")).to_be_in_viewport()
        expect(page.locator(".banner.bottom")).to_be_in_viewport()
        assert at.axe(colours_alone=theme != THEMES[0]) == []
        at.picture(f"shell-{theme}")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")


def test_a_place_is_read_in_any_format_and_anything_else_refused(live, desk):
    page = desk(live, "analyst").page
    page.keyboard.press("/")
    box = page.get_by_label("Go to place")
    expect(box).to_be_focused()
    page.keyboard.type("nowhere?")  # a question mark in a text is no wish for the list of keys
    page.keyboard.press("Enter")
    refusal = page.get_by_role("alert").filter(has_text="This is no place: write latitude and longitude, MGRS or UTM.")
    expect(refusal).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    box.fill("12R WV 06659 67897")
    page.keyboard.press("Enter")
    expect(refusal).to_have_count(0)
    expect(box).not_to_be_focused()


def test_the_marking_is_as_bright_under_a_dialog_and_at_every_size(live, desk):
    page = desk(live, "analyst", "#/account").page
    for width, height in ((1280, 800), (640, 400), (320, 480)):
        page.set_viewport_size({"width": width, "height": height})
        banners = page.locator(".banner")
        expect(banners).to_have_text(["UNMARKED SYSTEM"] * 2)
        boxes = [each.bounding_box() for each in banners.all()]
        before = [page.screenshot(clip=box) for box in boxes]
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        assert [page.screenshot(clip=box) for box in boxes] == before
        page.keyboard.press("Escape")


def test_keys_are_listed_and_escape_closes_the_list(live, desk):
    at = desk(live, "analyst", "#/account")
    page = at.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("row", name="/ Go to place")).to_be_visible()
    page.keyboard.press("/")  # keys of the page rest while a dialog is open
    expect(page.get_by_label("Go to place")).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    for shown in (1, 0):
        page.keyboard.press("?")
        expect(dialog).to_have_count(shown)
    # Who dictates, or whose hand slips, has letters and signs do nothing (2.1.4), and is shown the keys that are left.
    at.prefer("Single keys", "off")
    for key in "/?":
        page.keyboard.press(key)
    expect(page.get_by_label("Go to place")).not_to_be_focused()
    expect(dialog).to_have_count(0)
    page.get_by_text("Preferences", exact=True).first.click()
    page.get_by_role("button", name="Show keys").click()
    expect(dialog).to_contain_text("Letters and signs alone do nothing")
    expect(dialog.get_by_role("row")).to_have_count(0)
    assert at.axe() == []
    page.keyboard.press("Escape")
    expect(page.locator("summary").filter(has_text="Preferences")).to_be_focused()


def test_times_are_local_or_utc_as_chosen_and_stay_so(live, desk):
    at = desk(live, "analyst", "#/account")
    switch = at.page.get_by_role("button", name="Switch between local time and UTC")
    expect(switch).to_contain_text("GMT+2")
    local = int(switch.locator("time").inner_text()[:2])
    switch.click()
    expect(switch).to_contain_text("UTC")
    assert (local - int(switch.locator("time").inner_text()[:2])) % 24 in {2, 3}  # an hour may begin in between
    at.page.reload()
    expect(at.page.get_by_role("button", name="Switch between local time and UTC")).to_contain_text("UTC")


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_a_computer_whose_clock_is_wrong_is_told_so(live, desk, ahead_s):
    at = desk(live, None)
    at.page.clock.install(time=time.time() + ahead_s)
    at.log_in("analyst", "#/account")
    warning = at.page.get_by_text(re.compile(r"This computer's clock is 3,(5[89]|6[01])\d s off"))  # it ticks meanwhile
    expect(warning).to_be_visible()


def test_the_bar_fits_and_nothing_is_cut_off(live, desk):
    accounts = live.ask("administrator", "GET", "/accounts").json()
    (account_id,) = (one["id"] for one in accounts if one["login"] == "supervisor")
    long = {"name": "Supervisor of the northern watch"}
    live.ask("administrator", "PATCH", f"/accounts/{account_id}", json=long)
    at = desk(live, "supervisor")
    for width, height in ((1280, 800), (1024, 768), (768, 1024)):
        at.page.set_viewport_size({"width": width, "height": height})
        assert at.page.evaluate("document.documentElement.scrollWidth") <= width
        for link in at.page.get_by_role("navigation", name="Views").get_by_role("link").all():
            expect(link).to_be_in_viewport(ratio=1)
        out = at.page.get_by_role("button", name="Log out")
        expect(out).to_be_in_viewport(ratio=1)
        role = at.page.locator(".who small")
        expect(role).to_be_in_viewport(ratio=1)
        assert role.evaluate("one => one.scrollWidth <= one.parentElement.clientWidth")
        if width > 1000:  # all in one line
            first, last = at.page.get_by_role("link", name="Fly").bounding_box(), out.bounding_box()
            assert first is not None
            assert last is not None
            assert last["y"] < first["y"] + first["height"]
        at.picture(f"shell-{width}")


@pytest.mark.parametrize(
    ("role", "place", "said"),
    [
        ("pilot", "#/fly", ["Οχήματα", "Συναγερμοί", "Κανένας συναγερμός", "Μέτρηση"]),
        ("pilot", "#/plan", ["Δική μας πλευρά", "Ζώνες απαγόρευσης πτήσεων και περιοχές με όρια"]),
        ("analyst", "#/review", ["Τίποτα δεν περιμένει", "Analyst αναλυτής"]),
        ("auditor", "#/account/audit", ["Επαλήθευση της αλυσίδας", "Μητρώο ελέγχου", "Διατήρηση", "διαχειριστής"]),
        ("supervisor", "#/share/agreements", ["Συμφωνίες", "Δεν υπάρχουν συμφωνίες"]),
    ],
)
def test_a_language_is_its_files_alone(live, desk, role, place, said):
    at = desk(live, role, place, locale="en-GB")  # a page that nobody had before
    page = at.page
    at.prefer("Language", "el")
    for words in said:
        expect(page.get_by_text(words).first).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "el"
    at.picture(f"greek-{place.split('/')[1]}")


def test_a_page_that_nobody_touches_stops_asking_and_says_so(live, desk):
    at = desk(live, "supervisor", "#/share/outlets", locale="en-GB")
    page = at.page
    page.clock.install()
    page.reload()
    expect(page.get_by_text("The service pushes to none.")).to_be_visible()
    page.clock.fast_forward("06:00:30")  # half of what a session lasts here
    notice = page.get_by_text("Nobody has touched this page for 360 min")
    expect(notice).to_be_visible()
    at.requests.clear()
    page.clock.run_for("01:00")
    assert [url for url in at.requests if url.endswith("/outlets")] == []
    assert at.axe() == []
    page.keyboard.press("Shift")
    expect(notice).to_have_count(0)
    with page.expect_request(lambda request: request.url.endswith("/outlets")):
        page.clock.run_for("00:15")
