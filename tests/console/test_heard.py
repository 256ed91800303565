"""What a screen reader is told, by Chromium's accessibility tree: what each control is, and what happens by itself."""

from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.api.people import PASSWORD
from tests.console.heard import CONTROLS, heard, told_of
from tests.console.test_accessible import PLACES, settled, stock
from tests.console.test_fly import choose, cue, fly, orders_of, populate, row, tell
from tests.console.test_launch import ask_to_send, standing_by
from tests.console.test_plan import at_the_border, draw_border, plan, put_base
from tests.console.test_share import crossing

MAP = "region"
"""What MapLibre says its canvas is, which is moved by keys."""


@pytest.fixture
def stocked(live):
    return stock(live)


@pytest.mark.parametrize("role", PLACES)
def test_whatever_can_have_the_focus_has_a_role_and_a_name(stocked, desk, role):
    at = desk(stocked, role, f"#/{PLACES[role][0]}")
    found = []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(at.page)
        nodes = heard(at.page)
        stops = [each for each in nodes if each.states.get("focusable") and each.role not in {"RootWebArea", "main"}]
        assert len(stops) > 5, place
        found += [f"{place}: {each}" for each in stops if each.role not in CONTROLS | {MAP} or not each.name]
        found += [
            f"{place}: {each}" for each in nodes if each.role in {"image", "region", "navigation"} and not each.name
        ]
        (main,) = (each for each in nodes if each.role == "main")
        assert main.name, place  # the focus goes there from the beginning of the page
        assert [each for each in nodes if each.role == "heading"], place
    assert not found, "\n".join(found)


def test_what_is_chosen_ticked_or_opened_is_said_to_be(stocked, desk):
    at = desk(stocked, "pilot", "#/fly")
    page = at.page

    def states(role, name):
        (one,) = (each for each in heard(page) if each.role == role and each.name.startswith(name))
        return one.states

    expect(row(page, "heron")).to_contain_text("80%")
    assert states("button", "heron")["pressed"] == "false"
    choose(page, "heron")
    assert states("button", "heron")["pressed"] == "true"
    assert states("checkbox", "Sound")["checked"] == "false"
    page.get_by_label("Sound").check()
    assert states("checkbox", "Sound")["checked"] == "true"
    assert states("DisclosureTriangle", "Preferences")["expanded"] is False
    page.get_by_text("Preferences", exact=True).first.click()
    assert states("DisclosureTriangle", "Preferences")["expanded"] is True
    at.open("#/review")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_count(1)
    options = [each for each in heard(page) if each.role == "option" and "Person" in each.name]
    assert sorted(each.states["selected"] for each in options) == [False, True]


def test_what_happens_in_the_air_is_read_out(stocked, desk):
    page = desk(stocked, "pilot", "#/fly").page
    expect(row(page, "heron")).to_contain_text("80%")
    with told_of(page, "Cue: radar"):
        cue(stocked)
    with told_of(page, "heron: link lost"):
        fly(stocked, "heron", link="lost")
    details = choose(page, "kite")
    with told_of(page, "Pause: waits"):
        details.get_by_role("button", name="Pause").click()
        page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    with told_of(page, "the patrol is on its way home"):
        tell(stocked, orders_of(stocked)[0]["id"], "taken")
        tell(stocked, orders_of(stocked)[0]["id"], "refused", "the patrol is on its way home")
    details.get_by_role("button", name="Dispatch").press("Enter")
    # It takes the place of the button: the focus would be nowhere.
    expect(page.get_by_role("region", name="Where to send kite?")).to_be_focused()


def test_what_comes_of_a_verdict_is_read_out_and_what_comes_to_the_queue(stocked, desk):
    page = desk(stocked, "analyst", "#/review").page
    expect(page.get_by_role("button", name="Confirm")).to_be_enabled()
    with told_of(page, "2 alerts"):
        crossing(stocked, "new", confirmed=False)
    with told_of(page, "Confirmed"):
        page.keyboard.press("c")
    with told_of(page, "It stands as confirmed until you give another verdict"):
        page.keyboard.press("u")
        page.get_by_role("dialog", name="Undo").get_by_role("button", name="Look at it again").click()


def test_a_lost_connection_and_a_refusal_are_read_out(serve, desk):
    with ExitStack() as serving:
        live = serving.enter_context(serve())
        populate(live)
        at = desk(live, "pilot", "#/fly")
        page = at.page
        at.forgiven += ["ERR_", "/orders"]
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.route("**/orders", lambda route: route.abort())
        choose(page, "heron").get_by_role("button", name="Pause").click()
        with told_of(page, "cannot be reached"):
            page.get_by_role("dialog").get_by_role("button", name="Pause").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        with told_of(page, "Connection lost"):
            serving.close()
    with ExitStack() as serving:
        with told_of(page, "Live"):
            serving.enter_context(serve(urlsplit(live.url).port))
        page.goto("about:blank")  # it is not to hold the service back


def test_the_end_of_a_session_is_read_out(stocked, desk):
    at = desk(stocked, "analyst", "#/account")
    at.forgiven += ["status of 401"]
    accounts = stocked.ask("administrator", "GET", "/accounts").json()
    analyst = next(one["id"] for one in accounts if one["login"] == "analyst")
    with told_of(at.page, "Your session has ended"):
        stocked.ask("administrator", "DELETE", f"/accounts/{analyst}/sessions")
        at.page.get_by_role("link", name="Review", exact=True).click()
    with told_of(at.page, "password"):
        at.fill_in("analyst", f"not {PASSWORD}")


def test_how_a_planning_goes_is_read_out_and_what_is_missing(live, desk):
    page = desk(live, "pilot").page
    x, y = at_the_border(page)
    draw_border(page, x, y)
    with told_of(page, "base"):
        page.get_by_role("button", name="Plan", exact=True).click()
    put_base(page, x, y - 40)
    with told_of(page, "The plan is there"):
        plan(page)
    # Its tabs: which is open, and what it opens.
    page.get_by_role("tab", name="Figures").focus()
    for name in ("Sorties", "Heights"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        nodes = heard(page)
        tabs = [each for each in nodes if each.role == "tab"]
        assert [each.name for each in tabs if each.states["selected"]] == [name]
        assert [each.name for each in nodes if each.role == "tabpanel"] == [name]
    page.get_by_role("tab", name="Adopt").click()
    page.get_by_label("Owner").fill("Border Watch")
    page.get_by_label("Shift begins").fill("2026-12-01T06:00")
    with told_of(page, "The plan is adopted"):
        page.get_by_role("button", name="Adopt this plan").click()
    with standing_by(live):
        page.get_by_role("tab", name="Send").click()
        dialog = ask_to_send(page)
        (modal,) = (each for each in heard(page) if each.role == "dialog")
        assert (modal.states.get("modal"), modal.name) == (True, dialog.get_by_role("heading").first.inner_text())
        first, *others = dialog.get_by_role("checkbox").all()
        with told_of(page, f"{len(others)} checks are left"):
            first.press("Space")
