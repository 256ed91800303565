"""WCAG 2.2 AA in every view of every role: by axe, and for what axe does not look at by measuring the page."""

import pytest
from playwright.sync_api import expect

from tests.console.desk import place_at
from tests.console.test_fly import cue, fly, populate
from tests.console.test_share import agree, crossing

PLACES = {
    "pilot": ["plan", "fly", "review", "account"],
    "analyst": ["fly", "review", "account"],
    "supervisor": [
        *("fly", "review", "share/records", "share/releases", "share/agreements", "share/outlets", "share/webhooks"),
        *("account/erasure", "account/retention", "account/review", "account/transparency"),
    ],
    "partner": ["fly", "review", "share/received", "share/webhooks", "account"],
    "auditor": ["share/releases", "account/audit", "account/erasure", "account/retention"],
    "administrator": ["share/agreements", "account/accounts", "account/keys", "account/retention", "account/review"],
}
LEAST_PX = 24
"""Of a target, or of the circle about it in which no other lies (2.5.8)."""

_SHOWN = "one.checkVisibility({ visibilityProperty: true })"
_TARGETS = f"""least => {{
  const kinds = "a[href], button, input, select, textarea, summary, [role=tab], [role=option]";
  const seen = [...document.querySelectorAll(kinds)]
    .filter(one => {_SHOWN} && !one.disabled && !one.closest(".unseen, .skip"));
  const boxes = seen.map(one => {{
    const label = one.matches("input[type=checkbox], input[type=radio]") ? one.closest("label") : null;
    return {{ one, box: (label ?? one).getBoundingClientRect() }};
  }}).filter(({{ box }}) => box.width > 1 && box.height > 1);
  const near = ({{ one, box }}, other) => {{
    if (one.contains(other.one) || other.one.contains(one)) return false;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const dx = Math.max(other.box.left - x, 0, x - other.box.right);
    const dy = Math.max(other.box.top - y, 0, y - other.box.bottom);
    return Math.hypot(dx, dy) < least / 2;
  }};
  const inText = one => one.matches("a[href]") && getComputedStyle(one).display === "inline";
  return boxes
    .filter(({{ one, box }}) => Math.min(box.width, box.height) < least - 0.5 && !inText(one))
    .filter(each => boxes.some(other => near(each, other)))
    .map(({{ one, box }}) => `${{one.outerHTML.slice(0, 120)}} ${{box.width.toFixed(1)}} x ${{box.height.toFixed(1)}}`);
}}"""
"""Targets that are too small and too near to another one."""

_FOCUS = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  const [box, style] = [one.getBoundingClientRect(), getComputedStyle(one)];
  const over = top => top !== null && (one.contains(top) || top.contains(one) || one.labels?.[0]?.contains(top));
  const shown = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]
    .some(([x, y]) => over(document.elementFromPoint(box.x + box.width * x, box.y + box.height * y)));
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || one.matches(".view");
  one.dataset.walk ??= String(Math.random());
  return { what: one.outerHTML.slice(0, 160), shown, ring, key: one.dataset.walk };
}"""
"""What has the focus: whether any of it is to be seen (2.4.11), whether a ring is drawn about it (2.4.7)."""

_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  const letters = "letter-spacing: 0.12em !important; word-spacing: 0.16em !important";
  sheet.replaceSync(`* { line-height: 1.5 !important; ${letters} } p { margin-block-end: 2em !important }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return () => { document.adoptedStyleSheets = document.adoptedStyleSheets.filter(one => one !== sheet) };
}"""
"""The text spacing of 1.4.12, and how to take it off."""

CUT_OFF = f"""() => {{
  const kinds = "button, a, label, th, td, h1, h2, h3, legend, summary, p, dt, dd, caption, li";
  return [...document.querySelectorAll(kinds)]
    .filter(one => {_SHOWN} && !one.closest(".unseen, .maplibregl-control-container"))
    .filter(one => {{
      const style = getComputedStyle(one);
      const hides = [style.overflowX, style.overflowY].some(each => each === "hidden" || each === "clip");
      const longer = one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
      return hides && longer && style.textOverflow !== "ellipsis";
    }})
    .map(one => one.outerHTML.slice(0, 120));
}}"""
"""Text that is cut off where nothing scrolls."""

_WIDER = "(() => { const one = document.querySelector('.view'); return one.scrollWidth - one.clientWidth })()"
_IN_DIALOG = (
    "[document.body, null].includes(document.activeElement) || document.activeElement.closest('dialog') !== null"
)
_LISTENS = """() => {
  window.told = [];
  for (const one of document.querySelectorAll("[role=alert], [role=status], [aria-live]:not([aria-live=off])")) {
    const hears = new MutationObserver(() => window.told.push(one.textContent));
    hears.observe(one, { childList: true, subtree: true, characterData: true });
  }
}"""


def stock(live):
    """Something into every list of a service."""
    populate(live)
    agree(live)
    crossing(live, "shown")
    crossing(live, "waits", confirmed=False)
    return live


@pytest.fixture
def stocked(live):
    return stock(live)


def settled(page):
    """Wait until a view is there."""
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    expect(page.get_by_text("Loading", exact=False)).to_have_count(0)


@pytest.mark.parametrize("role", PLACES)
def test_every_view_of_a_role_is_accessible_in_every_theme(stocked, desk, role):
    at = desk(stocked, role, f"#/{PLACES[role][0]}")
    found = []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(at.page)
        found += [f"{place}: {one}" for one in at.axe_in_every_theme(f"all-{role}-{place.replace('/', '-')}")]
        found += [f"{place}: too small: {one}" for one in at.page.evaluate(_TARGETS, LEAST_PX)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("role", PLACES)
def test_the_tab_key_goes_through_a_view_and_out_of_it_and_what_has_the_focus_is_seen(stocked, desk, role):
    at = desk(stocked, role, f"#/{PLACES[role][0]}")
    page, found = at.page, []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(page)
        page.locator(".skip").focus()  # the first stop of each page
        stops = []
        for _ in range(300):
            page.keyboard.press("Tab")
            stop = page.evaluate(_FOCUS)
            if stop is None or [stop["key"]] == stops[:1]:
                break  # the end of the page, or its beginning again; what leads back to another stop is a trap (2.1.2)
            if [stop["key"]] == stops[-1:]:
                continue  # day, month and hour of one field
            stops.append(stop["key"])
            found += [f"{place}: {name}: {stop['what']}" for name in ("shown", "ring") if not stop[name]]
        else:
            found.append(f"{place}: the focus never comes to the end")
        assert len(stops) > 5, place
    assert not found, "\n".join(found)


def too_wide(page, width):
    """What of a view needs to be scrolled from side to side where the page is `width` CSS pixels wide."""
    whole, view = page.evaluate("document.documentElement.scrollWidth"), page.evaluate(_WIDER)
    return [f"the page is {whole} wide"] * (whole > width) + [f"the view is {view} too wide"] * (view > 0)


@pytest.mark.parametrize("role", PLACES)
def test_at_400_percent_and_with_text_set_wide_nothing_is_lost(stocked, desk, role):
    """1280 pixels at 400 % are 320: maps and tables of data may scroll both ways there, the page may not (1.4.10)."""
    at = desk(stocked, role, f"#/{PLACES[role][0]}", width=320, height=640)
    page, found = at.page, []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(page)
        found += [f"{place}: {one}" for one in too_wide(page, 320)]
        at.picture(f"reflow-{role}-{place.replace('/', '-')}")
    page.set_viewport_size({"width": 1280, "height": 800})
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(page)
        take_off = page.evaluate_handle(_SPACED)
        found += [f"{place}: cut off: {one}" for one in page.evaluate(CUT_OFF)]
        if page.evaluate("document.documentElement.scrollWidth") > 1280:
            found.append(f"{place}: too wide with text set wide")
        take_off.evaluate("take_off => take_off()")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("role", ["pilot", "supervisor"])
def test_in_forced_colours_everything_can_be_seen(stocked, desk, role):
    at = desk(stocked, role, f"#/{PLACES[role][0]}", forced_colors="active", color_scheme="dark", locale="en-GB")
    found = []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(at.page)
        found += [f"{place}: {one}" for one in at.axe()]
        at.picture(f"forced-{role}-{place.replace('/', '-')}")
    assert not found, "\n".join(found)


def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(stocked, desk):
    at = desk(stocked, "pilot", "#/fly")
    page = at.page
    page.get_by_role("region", name="Vehicles", exact=True).get_by_role("button", name="heron").click()
    pause = page.get_by_role("region", name="heron", exact=True).get_by_role("button", name="Pause")
    pause.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(_IN_DIALOG)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(pause).to_be_focused()


def test_what_changes_by_itself_is_told_to_who_does_not_see_it(stocked, desk):
    """In an element that is there before its words come: a screen reader tells of no other."""
    at = desk(stocked, "pilot", "#/fly")
    page = at.page
    expect(page.get_by_role("region", name="Alarms")).to_be_visible()
    page.evaluate(_LISTENS)
    fly(stocked, "heron", link="lost")
    expect(page.get_by_role("region", name="Alarms")).to_contain_text("heron: link lost")
    page.wait_for_function("() => window.told.some(text => text.includes('heron: link lost'))")


def test_what_is_dragged_can_be_done_without_dragging(live, desk):
    """2.5.7: the map by its buttons and keys, what is drawn on it by figures (test_plan), the clip by its keys."""
    page = desk(live, "pilot", "#/fly").page
    canvas = page.locator(".maplibregl-canvas")
    expect(canvas).to_be_visible()
    scale = page.locator(".maplibregl-ctrl-scale")
    before = scale.inner_text()
    page.get_by_role("button", name="Zoom in").click()
    expect(scale).not_to_have_text(before)
    wide = scale.get_attribute("style")  # by the latitude of the middle; a picture changes as tiles come too
    canvas.focus()
    page.keyboard.press("ArrowUp")
    expect(scale).not_to_have_attribute("style", wide)
    # By a pointer that draws nothing along: out, and in again where one wants to be.
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    west = place_at(page, x, y)[1]
    page.get_by_role("button", name="Zoom out").click()
    page.mouse.dblclick(x + 200, y)
    for _ in range(100):
        if place_at(page, x, y)[1] > west + 0.1:
            break
        page.wait_for_timeout(100)
    assert place_at(page, x, y)[1] > west + 0.1


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_a_ring_about_a_new_cue_swells_and_does_not_where_less_motion_is_asked_for(stocked, desk, motion, moves):
    page = desk(stocked, "pilot", "#/fly", reduced_motion=motion).page
    expect(page.get_by_role("region", name="Vehicles", exact=True)).to_be_visible()
    cue(stocked)
    expect(page.locator(".pulse").first).to_be_attached()
    running = "document.getAnimations().filter(one => one.playState === 'running' && one.animationName === 'swell')"
    ends = page.evaluate(f"{running}.map(one => one.effect.getComputedTiming().endTime ?? Infinity)")
    assert bool(ends) == moves
    assert all(end <= 5000 for end in ends)  # what moves by itself beside all else (2.2.2)
