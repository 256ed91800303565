"""Pictures of the console for readers of README and docs, made of a demonstration that was run before.

python -m tests.console.demo_pictures [FOLDER OF THE RUN] [FOLDER OF THE PICTURES]
"""

import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.console.conftest import LAUNCH, program_of_the_browser
from tests.demo_shown import ShownDemo, shown_demo

ROOT = Path(__file__).parents[2]
SIZE: ViewportSize = {"width": 1440, "height": 900}
SCALES_M = (30.0, 50.0)
"""At which a footprint is seen beside its vehicle: steps of the zoom halve the scale, and meet one of them."""
LONG_S = 300
"""A vehicle takes off, and reaches what it watches."""


def take_pictures(browser: Browser, demo: ShownDemo, folder: Path) -> None:
    """A picture of each view, of whoever works there; the flight comes last, when it has got somewhere."""
    for name, (role, view, show) in VIEWS.items():
        context = browser.new_context(viewport=SIZE, base_url=demo.url, locale="en-GB", timezone_id="UTC")
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto("/")
        page.get_by_label("Login").fill(role)
        page.get_by_label("Password", exact=True).fill(demo.password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view, exact=True).click()
        show(page)
        page.wait_for_timeout(5000)  # tiles and pictures come to rest
        _write(page.screenshot(), folder / f"console-{name}.png")
        context.close()


def _write(png: bytes, path: Path) -> None:
    """In 256 colours: few see the difference, and it is a third as large."""
    Image.open(BytesIO(png)).convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)


def _plan(page: Page) -> None:
    page.get_by_role("region", name="Earlier").get_by_role("button").first.click()
    expect(page.get_by_role("region", name="Plan that was found")).to_be_visible()
    page.get_by_role("button", name="Take its settings over").click()
    page.get_by_label("Seen by cameras").check()


def _review(page: Page) -> None:
    expect(page.get_by_label("Clip").locator("video")).to_be_visible()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Pause").click()


def _share(page: Page) -> None:
    """What the other partner would get: one crossing is confirmed, and neither was it released to them."""
    page.get_by_role("combobox", name="As seen by").select_option(label="Rescue Service (exercise)")
    page.get_by_role("button", name="Compare").first.click()
    page.set_viewport_size({"width": SIZE["width"], "height": 1200})  # down to what is withheld


def _fly(page: Page) -> None:
    """A vehicle whose camera sees the border."""
    deadline = time.monotonic() + LONG_S
    while not any(each["properties"].get("footprint") for each in page.request.get("/vehicles").json()["features"]):
        assert time.monotonic() < deadline, "no camera sees the ground"
        page.wait_for_timeout(1000)
    page.get_by_role("region", name="Vehicles", exact=True).get_by_role("button", name="vehicle-1").click()
    scale = page.locator(".maplibregl-ctrl-scale")
    while (metres := _metres(scale.inner_text())) not in SCALES_M:
        page.get_by_role("button", name="Zoom in" if metres > max(SCALES_M) else "Zoom out").click()
        page.wait_for_timeout(1000)
    page.get_by_role("button", name="Follow").click()


def _metres(scale: str) -> float:
    """What the scale of a map says: "50 m", "3 km"."""
    figure, unit = scale.split()
    return float(figure) * {"m": 1, "km": 1000}[unit]


VIEWS: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "plan": ("pilot", "Plan", _plan),
    "review": ("analyst", "Review", _review),
    "share": ("supervisor", "Share", _share),
    "fly": ("pilot", "Fly", _fly),
}


def main(run: str = "runs/demo", folder: str = str(ROOT / "docs" / "images")) -> None:
    """Make all pictures."""
    with shown_demo("--show", "--out", run) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program_of_the_browser(), args=list(LAUNCH))
        take_pictures(browser, demo, Path(folder))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
