"""The view Review: a queue that is judged by keyboard, clip and ground in step, two people, nothing lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.api.samples import record_json
from tests.console.footage import BORDER, LAT, PER_SECOND, Footage, state_of, tonight, verdicts_of, walk


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    return Footage.filmed(tmp_path_factory.mktemp("footage"))


def deliver(live, name, second=0.0, **changes):
    """A crossing without evidence; its id."""
    return live.ask("pilot", "POST", "/crossings", json=walk(name, tonight(second), **changes)).json()["id"]


def open_review(desk, live, role, **size):
    at = desk(live, role, **size)
    at.page.get_by_role("link", name="Review", exact=True).click()
    expect(at.page.get_by_role("listbox", name="Crossings")).to_be_visible()
    return at


def selected(page):
    return page.get_by_role("option", selected=True)


def test_pictures_in_three_themes(live, desk, footage):
    live.ask("pilot", "POST", "/segments", json=record_json("segments") | BORDER | {"retention_days": 3650})
    for n in range(12):
        footage.deliver(live, f"p{n}", tonight(40 * n), direction=["inbound", "outbound"][n % 2], confidence=0.5 + n / 30)
    at = open_review(desk, live, "analyst")
    page = at.page
    expect(page.get_by_label("Clip").locator("video")).to_be_visible()
    for theme in ("light", "dark", "night"):
        page.get_by_label("Theme").select_option(theme)
        page.wait_for_timeout(1500)
        at.picture(f"review-{theme}")
        assert at.axe() == []
