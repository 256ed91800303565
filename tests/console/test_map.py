"""The map itself: what of it is not drawn, and what there is where none can be. Each needless layer costs a frame."""

import itertools

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from api.console.settings import ConsoleSettings
from tests.api.test_maps import archive
from tests.console.test_fly import choose, fly, have, populate, row

DRAWN = """async () => {
  // Names of what the programs that draw are told: each program has its own.
  const [kind, told] = [WebGL2RenderingContext.prototype, new Set()];
  const [elements, arrays] = [kind.drawElements, kind.drawArrays];
  const heard = (draw) => function (...given) {
    const program = this.getParameter(this.CURRENT_PROGRAM);
    const count = this.getProgramParameter(program, this.ACTIVE_UNIFORMS);
    for (let n = 0; n < count; n++) told.add(this.getActiveUniform(program, n).name);
    return draw.apply(this, given);
  };
  kind.drawElements = heard(elements);
  kind.drawArrays = heard(arrays);
  const canvas = document.querySelector(".map canvas");
  canvas.focus();
  canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", keyCode: 37, bubbles: true }));
  const end = performance.now() + 20_000;
  while (told.size === 0 && performance.now() < end) await new Promise(requestAnimationFrame);
  kind.drawElements = elements;
  kind.drawArrays = arrays;
  return [...told];
}"""
MAPLIBRE = """async () => {
  const files = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.endsWith(".js"));
  return (await Promise.all(files.map(async (name) => (await fetch(name)).text()))).join("");
}"""
SKY = "u_sky_color", "u_horizon_color", "u_sky_blend"
"""What MapLibre's program of the sky is told, and no other."""

NO_WEBGL = """
  const plain = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...given) {
    return kind.startsWith("webgl") ? null : plain.call(this, kind, ...given);
  };
"""


def test_no_sky_is_drawn_and_nothing_is_blended_with_the_page(live, desk):
    """An upgrade of MapLibre may draw either again, and nobody would see it but by the hour."""
    page = desk(live, "analyst", "#/fly").page
    canvas = page.locator(".map canvas")
    expect(canvas).to_have_css("opacity", "1")  # it is drawn
    attributes = canvas.evaluate("each => each.getContext('webgl2').getContextAttributes()")
    assert attributes["alpha"] is False
    maplibre = page.evaluate(MAPLIBRE)
    assert all(name in maplibre for name in SKY), "MapLibre calls the sky otherwise now: this test would not see it"
    drawn = page.evaluate(DRAWN)
    assert drawn, "nothing was drawn when the map was moved"
    assert not set(SKY) & set(drawn)


LISTENS = """
  // Of each picture that is drawn: which tiles are cut out, and drawn in, and how often what is seen of names changes.
  const kind = WebGL2RenderingContext.prototype;
  const { clear, drawElements, bufferSubData } = kind;
  window.pictures = [];
  kind.clear = function (bits) {
    const at = performance.now();
    if (bits & this.COLOR_BUFFER_BIT) window.pictures.push({ cut: [], filled: [], drawn: 0, names: 0, at });
    return clear.call(this, bits);
  };
  kind.drawElements = function (...given) {
    const now = window.pictures.at(-1);
    const tile = this.isEnabled(this.STENCIL_TEST) ? this.getParameter(this.STENCIL_REF) : 0;
    if (this.getParameter(this.COLOR_WRITEMASK).some((each) => each)) {
      now.drawn += 1;
      if (tile > 0) now.filled.push(tile);
    } else now.cut.push(tile);
    return drawElements.apply(this, given);
  };
  kind.bufferSubData = function (target, ...given) {
    if (target === this.ARRAY_BUFFER) window.pictures.at(-1).names += 1;
    return bufferSubData.call(this, target, ...given);
  };
"""


@pytest.fixture
def dragged(live, desk):
    """What was drawn, picture by picture, while the map of two vehicles and a border was dragged."""
    populate(live)
    at = desk(live, None)
    page = at.page
    page.add_init_script(LISTENS)
    at.log_in("pilot", "#/fly")
    expect(page.locator(".map canvas")).to_have_css("opacity", "1")
    expect(row(page, "kite")).to_contain_text("80%")
    page.wait_for_function("() => window.pictures.at(-1)?.drawn > 10")  # all there is to be seen
    box = page.locator(".map canvas").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 310, box["y"] + 310, steps=4)
    before = page.evaluate("window.pictures.length")
    page.mouse.move(box["x"] + 340, box["y"] + 330, steps=60)
    pictures = page.evaluate("before => window.pictures.slice(before, -1)", before)
    page.mouse.up()
    assert len(pictures) > 10, "the map did not follow"
    return pictures


def test_a_map_that_is_dragged_draws_in_its_tiles_and_does_not_place_names_in_every_picture(dragged):
    """Of what is cut out: of all three sources, once each; MapLibre would cut out the tiles of the upper two twice.

    Names are placed anew five times a second, and at once where they have come with tiles that were not there.
    """
    assert min(each["drawn"] for each in dragged) > 10
    assert all(len(set(each["filled"])) > len(each["cut"]) / 2 for each in dragged)
    placed = [each["at"] for each in dragged if each["names"]]
    early = sum(after - before < 150 for before, after in itertools.pairwise(placed))
    assert early <= 3, f"{early} of {len(dragged)}"


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("delete window.Worker", "Web Workers"),
        (NO_WEBGL, "WebGL 2"),
    ],
)
def test_a_browser_that_can_draw_no_map_says_what_is_missing_and_has_all_else(live, desk, lacks, said):
    have(live, "vehicles", "heron", name="heron", frame="copter")
    fly(live, "heron")
    at = desk(live, None)
    at.page.add_init_script(lacks)
    at.log_in("pilot", "#/fly")
    missing = at.page.get_by_role("alert").filter(has_text="There is no map here.")
    expect(missing).to_contain_text(said)
    choose(at.page, "heron").get_by_role("button", name="Pause").click()
    at.page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(at.page.get_by_role("region", name="heron", exact=True).get_by_role("status")).to_contain_text("Pause:")
    at.page.get_by_role("link", name="Plan", exact=True).click()
    expect(at.page.get_by_role("form", name="What to plan")).to_be_visible()
    expect(missing).to_be_visible()


def test_an_archive_of_the_operator_is_drawn_piece_by_piece(peopled, served, desk, tmp_path):
    """Of one tile, which is green all over: nothing else of the page is."""
    maps = tmp_path / "maps"
    maps.mkdir()
    _, tile = cv2.imencode(".png", np.full((256, 256, 3), (0, 200, 0), np.uint8))
    world = archive(kind=2, packed=1, zooms=(0, 0), bounds=(-180, -85, 180, 85), tiles=tile.tobytes())
    (maps / "ministry.pmtiles").write_bytes(world)
    with served(peopled, tmp_path / "service", console=ConsoleSettings(maps=maps)) as live:
        at = desk(live, "pilot", "#/account")
        with at.page.expect_response("**/maps/ministry") as answered:
            at.page.get_by_role("link", name="Fly", exact=True).click()
        assert answered.value.status == 206
        canvas = at.page.locator(".map canvas")
        expect(canvas).to_have_css("opacity", "1")
        for _ in range(100):
            red, green, blue = canvas.evaluate(SEEN)
            if green > max(red, blue) + 40:
                break
            at.page.wait_for_timeout(100)
        assert green > max(red, blue) + 40, (red, green, blue)
        at.picture("map-of-the-operator")


ALL_THE_TIME = """async ([label, themes]) => {
  const select = [...document.querySelectorAll("select")].find((each) => each.labels[0].innerText.includes(label));
  location.hash = "#/fly";
  for (let turn = 0; turn < 150; turn++) {
    await new Promise((done) => (turn % 3 ? requestAnimationFrame(done) : setTimeout(done)));
    select.value = themes[turn % themes.length];
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
}"""


def test_a_theme_may_change_while_the_map_comes(peopled, served, desk, tmp_path):
    """Nothing can be drawn while another style is on its way, and all of it is drawn once that is there."""
    with served(peopled, tmp_path / "service") as live:
        at = desk(live, "pilot", "#/account")
        at.prefer("Theme", "dark")
        at.page.get_by_text("Preferences", exact=True).first.click()
        at.page.evaluate(ALL_THE_TIME, ["Theme", ["night", "light", "dark"]])
        expect(at.page.locator(".map canvas")).to_have_css("opacity", "1")
        assert "".join(at.page.get_by_role("alert").all_inner_texts()) == ""
        expect(at.page.get_by_role("heading", level=1)).to_be_attached()


PACED = """ms => {
  // Of how fast pictures come, the page is told what the test wants.
  const plain = window.requestAnimationFrame.bind(window);
  let told = 0;
  window.requestAnimationFrame = (act) => plain(() => act((told += ms)));
}"""
BREADTH = "each => each.width / each.clientWidth"
"""Pixels of the picture for one of the page."""


@pytest.mark.parametrize(("each_ms", "breadth"), [(17, 1.0), (60, 0.7)])
def test_a_map_is_coarser_while_it_is_dragged_where_pictures_come_slowly_and_never_at_rest(
    live, desk, each_ms, breadth
):
    at = desk(live, None)
    at.page.add_init_script(f"({PACED})({each_ms})")
    at.log_in("analyst", "#/fly")
    canvas = at.page.locator(".map canvas")
    expect(canvas).to_have_css("opacity", "1")
    box = canvas.bounding_box()
    for _ in range(2):  # the second time it is known how fast they come
        assert canvas.evaluate(BREADTH) == 1
        at.page.mouse.move(box["x"] + 300, box["y"] + 300)
        at.page.mouse.down()
        at.page.mouse.move(box["x"] + 360, box["y"] + 340, steps=30)
        assert canvas.evaluate(BREADTH) == pytest.approx(breadth, abs=0.01)
        at.page.mouse.up()
        at.page.wait_for_function(f"() => ({BREADTH})(document.querySelector('.map canvas')) === 1")


SEEN = """each => {
  const [gl, pixel] = [each.getContext("webgl2"), new Uint8Array(4)];
  gl.readPixels(gl.drawingBufferWidth / 2, gl.drawingBufferHeight / 2, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  return [...pixel.slice(0, 3)];
}"""
LAND, SEA = [0xF5, 0xF3, 0xEE], [0xCF, 0xDD, 0xE5]
"""Of the light theme."""


def test_ground_that_has_not_come_is_shown_neither_as_land_nor_as_sea(live, desk):
    at = desk(live, None)
    at.forgiven += ["net::ERR_FAILED"]
    at.page.route("**/*.pmtiles", lambda route: route.abort())
    with at.page.expect_event("requestfailed", lambda request: request.url.endswith(".pmtiles")):
        at.log_in("analyst", "#/fly")
    canvas = at.page.locator(".map canvas")
    expect(canvas).to_have_css("opacity", "1")
    assert canvas.evaluate(SEEN) not in (LAND, SEA)
    at.page.unroute("**/*.pmtiles")
    at.page.reload()
    expect(canvas).to_have_css("opacity", "1")
    known = f"([each, known]) => known.includes(({SEEN})(each).join())"
    places = [",".join(map(str, each)) for each in (LAND, SEA)]
    at.page.wait_for_function(known, arg=[canvas.element_handle(), places])
    at.picture("map-of-known-ground")
