"""Many pages of one browser: they share their streams, and one session, of which none shows what is another's."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.api.people import PASSWORD
from tests.console.test_fly import choose, fly, have, open_fly, row

PAGES = 6
"""Connections that a browser opens to a host over HTTP/1.1."""


@pytest.fixture
def heron(live):
    """A vehicle that flies."""
    id_ = have(live, "vehicles", "heron", name="heron", frame="copter")
    fly(live, "heron")
    return id_


def beside(at, place="#/fly"):
    """Another page of the same browser; small, since all are drawn by the processor."""
    page = at.page.context.new_page()
    at.hear(page)
    page.set_viewport_size({"width": 768, "height": 400})
    page.goto(f"{at.live.url}/{place}")
    return page


def log_in(page, login):
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def opened(live):
    """How often each stream was opened, as the audit has it."""
    entries = live.ask("auditor", "GET", "/audit?limit=1000").json()["entries"]
    deeds = [entry["body"]["action"] for entry in entries]
    return Counter(deed for deed in deeds if deed.endswith(".subscribe"))


def test_six_pages_are_live_and_answer(live, desk, heron):
    at = open_fly(desk, live, "pilot")
    expect(row(at.page, "heron")).to_contain_text("80%")
    pages = [at.page, *(beside(at) for _ in range(PAGES - 1))]
    for page in pages:
        expect(row(page, "heron")).to_contain_text("80%")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
    choose(pages[-1], "heron").get_by_role("button", name="Pause").click()
    pages[-1].get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(choose(pages[1], "heron").get_by_role("status")).to_contain_text("Pause:")
    fly(live, "heron", battery_left=0.6)
    for page in pages:
        expect(row(page, "heron")).to_contain_text("60%")
    at.page.goto("about:blank")  # it opened them first
    fly(live, "heron", battery_left=0.4)
    expect(row(pages[1], "heron")).to_contain_text("40%")
    assert set(opened(live).values()) == {1}


def test_who_logs_out_in_one_page_has_logged_out_in_all_and_whoever_comes_sees_nothing_of_theirs(live, desk, heron):
    at = open_fly(desk, live, "analyst")
    at.forgiven += ["/stream", "status of 401"]
    other = beside(at)
    fly(live, "heron", link="lost")
    for page in (at.page, other):
        expect(page.get_by_role("region", name="Alarms")).to_contain_text("heron: link lost")
    at.log_out()
    expect(other.get_by_text("Your session has ended")).to_be_visible()
    log_in(at.page, "partner")
    # The other page was an analyst's: nobody logged in there, and it is the partner's from its beginning.
    expect(other.get_by_text("Partner partner")).to_be_visible()
    fly(live, "heron", battery_left=0.1)
    for page in (at.page, other):
        page.goto(f"{live.url}/#/fly")
        expect(page.get_by_text("No vehicle is shared with you")).to_be_visible()
        expect(page.get_by_role("region", name="Alarms")).to_contain_text("No alarms")


def test_a_page_that_was_not_told_lets_nothing_in_of_another_account(live, desk, heron):
    at = open_fly(desk, live, "partner")
    expect(at.page.get_by_text("No vehicle is shared with you")).to_be_visible()
    at.forgiven += ["/stream", "status of 401"]  # what it was reading when its session ended
    # The cookie is another's, and no page was asked.
    wish = {"login": "analyst", "password": PASSWORD}
    assert at.page.context.request.post(f"{live.url}/login", data=wish, headers={"Origin": live.url}).ok
    at.page.get_by_role("link", name="Review", exact=True).click()
    expect(at.page.get_by_text("Analyst analyst")).to_be_visible()


def test_pages_live_on_their_own_where_a_browser_has_no_shared_workers(live, desk, heron):
    at = desk(live, None)
    at.page.context.add_init_script("delete window.SharedWorker")
    at.log_in("analyst")
    other = beside(at)
    at.open("#/fly")
    fly(live, "heron", battery_left=0.6)
    for page in (at.page, other):
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(row(page, "heron")).to_contain_text("60%")
    assert opened(live)["vehicle.subscribe"] > 1


def test_a_browser_that_keeps_nothing_for_pages_shows_them(live, desk, heron):
    at = desk(live, None)
    denied = "{get() { throw new DOMException('denied', 'SecurityError'); }}"
    for name in ("localStorage", "sessionStorage"):
        at.page.add_init_script(f"Object.defineProperty(window, '{name}', {denied})")
    at.log_in("analyst")
    at.prefer("Theme", "night")
    expect(at.page.locator("html")).to_have_attribute("data-theme", "night")
    for view in ("Fly", "Review", "Account"):
        at.page.get_by_role("link", name=view, exact=True).click()
        expect(at.page.get_by_role("heading", level=1)).to_be_attached()
        expect(at.page.get_by_text("could not be shown")).to_have_count(0)
