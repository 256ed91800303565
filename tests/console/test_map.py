"""The map itself: what of it is not drawn. Where the processor draws it, each needless layer costs a frame."""

from playwright.sync_api import expect

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
