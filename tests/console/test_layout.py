"""What stands where: fields in one line, words whole, and no view in the clothes of another that was open before it."""

import pytest
from playwright.sync_api import expect

from tests.console.test_fly import populate, row
from tests.console.test_share import crossing

LOWER_ENDS = """form => {
  const fields = [...form.querySelectorAll("input:not([type=checkbox]), select, button[type=submit]")];
  const boxes = fields.map(one => one.getBoundingClientRect());
  return boxes.map(box => Math.round(box.bottom));
}"""
CUT_OFF = """list => [...list.querySelectorAll(".facts p")]
  .filter(one => !one.matches(".state") && one.scrollWidth > one.clientWidth)
  .map(one => one.innerText)"""
"""Lines of a list of which some is not seen; the last of each may give way at its end."""

TOO_HIGH = """list => [...list.querySelectorAll(".item")]
  .filter(one => one.scrollHeight > one.clientHeight + 1)
  .map(one => one.innerText)"""
"""Rows that do not hold all of their lines."""

LOOKS = "one => ['fontWeight', 'whiteSpace', 'color'].map(each => getComputedStyle(one)[each])"


def test_fields_beside_each_other_stand_in_one_line_whether_they_have_a_hint_or_not(live, desk):
    page = desk(live, "administrator", "#/account/keys").page
    form = page.locator("form").filter(has=page.get_by_role("button", name="Issue a key"))
    expect(form.get_by_label("Expires")).to_be_visible()
    expect(form.locator("small").first).to_be_visible()
    assert len(set(form.evaluate(LOWER_ENDS))) == 1


@pytest.mark.parametrize(("width", "height"), [(1280, 768), (1024, 768), (820, 768), (640, 400), (320, 480)])
def test_the_queue_says_whole_what_crossed_which_way_and_where(live, desk, width, height):
    crossing(live, "out", kind="vehicle", direction="outbound", confirmed=False)
    crossing(live, "in", kind="person", direction="inbound", confirmed=False)
    at = desk(live, "analyst", "#/review", width=width, height=height)
    queue = at.page.get_by_role("listbox")
    expect(queue.get_by_role("option")).to_have_count(2)
    expect(queue.get_by_text("claimed by you")).to_be_visible()
    at.picture(f"layout-queue-{width}")
    assert queue.evaluate(TOO_HIGH) == []
    assert queue.evaluate(CUT_OFF) == []


def test_fly_looks_the_same_whether_account_was_open_before_or_not(live, desk):
    populate(live)
    page = desk(live, "supervisor", "#/fly").page
    state = row(page, "heron").locator(".state")
    expect(state).to_contain_text("on task")
    before = state.evaluate(LOOKS)
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    page.get_by_role("link", name="Fly", exact=True).click()
    expect(state).to_contain_text("on task")
    assert state.evaluate(LOOKS) == before
