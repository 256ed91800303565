"""A tablet: what a mouse does is done by fingers too."""

from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.console.footage import tonight, walk
from tests.console.test_fly import populate, row
from tests.console.test_plan import at_the_border


def slide(fingers: CDPSession, *ways: tuple[tuple[float, float], tuple[float, float]], steps: int = 8) -> None:
    """Put fingers down, each at the beginning of its way, move them, and take them off."""

    def touch(kind: str, share: float) -> None:
        points = [{"x": a[0] + share * (b[0] - a[0]), "y": a[1] + share * (b[1] - a[1])} for a, b in ways]
        given = [{**at, "id": number} for number, at in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if kind == "touchEnd" else given})

    touch("touchStart", 0)
    for step in range(1, steps + 1):
        touch("touchMove", step / steps)
    touch("touchEnd", 1)


def middle_of(canvas: Locator) -> tuple[float, float]:
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def metres(page: Page) -> float:
    """What the scale of the map is long."""
    figure, unit = page.locator(".maplibregl-ctrl-scale").inner_text().split()
    return float(figure) * {"m": 1, "km": 1000}[unit]


def test_a_tablet_is_worked_by_fingers(live, desk):
    populate(live)
    seen = [live.ask("pilot", "POST", "/crossings", json=walk(f"t{n}", tonight(n))).json()["id"] for n in range(2)]
    at = desk(live, "pilot", "#/fly", width=1024, height=768, has_touch=True)
    page = at.page
    fingers = page.context.new_cdp_session(page)
    canvas = page.locator(".maplibregl-canvas")
    details = page.get_by_role("region", name="kite", exact=True)

    # A vehicle of the list, brought to the middle of the map, and then chosen there.
    row(page, "kite").tap()
    details.get_by_role("button", name="Follow").tap()
    page.wait_for_timeout(1000)
    details.get_by_role("button", name="Close").tap()
    expect(details).to_have_count(0)
    x, y = middle_of(canvas)
    page.touchscreen.tap(x, y)
    expect(details).to_be_visible()
    details.get_by_role("button", name="Pause").tap()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").tap()
    details.get_by_role("button", name="Close").tap()

    # Two fingers part: a finer scale. One moves the ground away from below the place where the vehicle was.
    before = metres(page)
    slide(fingers, ((x - 30, y), (x - 150, y)), ((x + 30, y), (x + 150, y)))
    for _ in range(50):
        if metres(page) < before:
            break
        page.wait_for_timeout(100)
    assert metres(page) < before
    slide(fingers, ((x, y), (x + 150, y + 120)))
    page.wait_for_timeout(1000)
    page.touchscreen.tap(x, y)
    page.wait_for_timeout(500)
    expect(details).to_have_count(0)

    page.get_by_role("link", name="Review", exact=True).tap()
    page.locator(f"#row-{seen[0]}").tap()
    expect(page).to_have_url(f"{live.url}/#/review/{seen[0]}")

    # A border and a zone end where their last or first place is tapped once more; a base is moved by a finger.
    page.get_by_role("link", name="Plan", exact=True).tap()
    x, y = at_the_border(page)
    page.get_by_role("button", name="Border b").tap()
    for aside in (-100, 0, 100, 100):
        page.touchscreen.tap(x + aside, y)
    expect(page.get_by_text("3 places")).to_be_visible()
    page.get_by_role("button", name="Zone z").tap()
    for aside, up in ((-60, 60), (60, 60), (0, 110), (-60, 60)):
        page.touchscreen.tap(x + aside, y - up)
    zones = page.get_by_role("region", name="No-fly zones and areas with limits")
    expect(zones.get_by_label("Name", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Base s").tap()
    page.touchscreen.tap(x - 120, y - 60)
    place = page.get_by_label("Place", exact=True)
    expect(place).to_be_visible()
    was = place.input_value()
    slide(fingers, ((x - 120, y - 60), (x - 160, y - 90)))
    expect(place).not_to_have_value(was)
    at.picture("touch-plan")
