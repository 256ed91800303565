"""Planning at the page: draw, plan, look, change, take files, adopt; what it shows is what the service says."""

import re

from playwright.sync_api import Page, expect

CENTRE = "31.333, -110.94"
"""Where the map is sent: the middle of what is drawn."""


def at_the_border(page: Page) -> tuple[float, float]:
    """Go there through the page; the middle of the map, pixels."""
    page.keyboard.press("/")
    page.keyboard.type(CENTRE)
    page.keyboard.press("Enter")
    expect(page.locator(".pin")).to_be_visible()
    box = page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw_border(page: Page, x: float, y: float) -> None:
    page.get_by_role("button", name="Border b").click()
    for aside in (-120, 0, 120):
        page.mouse.move(x + aside, y)
        page.mouse.click(x + aside, y)
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Own side")).to_be_visible()


def put_base(page: Page, x: float, y: float) -> None:
    page.get_by_role("button", name="Base s").click()
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    expect(page.get_by_label("Place", exact=True)).to_be_visible()


def plan(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Plan")).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=60_000)


def test_a_border_and_a_base_are_drawn_and_planned(live, desk):
    at = desk(live, "pilot")
    page = at.page
    x, y = at_the_border(page)
    draw_border(page, x, y)
    put_base(page, x, y - 60)
    at.picture("plan-drawn")
    page.get_by_label("Length of shift").fill("2")
    page.get_by_label("At m AMSL").fill("1180")
    plan(page)
    at.picture("plan-done")
    (line,) = live.ask("pilot", "GET", "/plannings").json()
    found = live.ask("pilot", "GET", f"/plannings/{line['id']}").json()
    assert found["state"] == "done", found["error"]
    print(found["result"]["summary"])
    print(found["request"])
