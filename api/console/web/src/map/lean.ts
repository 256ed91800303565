import { Map as MapLibre } from "maplibre-gl";

type Context = HTMLCanvasElement["getContext"];
type Frame = Parameters<MapLibre["painter"]["maybeDrawDepth"]>[0];
type Place = MapLibre["style"]["_updatePlacement"];

/** How often it is looked anew which names have room while the map is dragged; they fade for as long. */
const PLACED_MS = 200;

/**
 * A map that leaves out what MapLibre does for nothing. Where the processor draws the map, that is half of the work.
 *
 * - No sky. MapLibre draws one over the whole picture before everything else, even where the style has none: it is
 *   transparent then, but drawn by the dearest of its programs.
 * - No alpha. The lowest layer fills the picture; one that says so is not blended with the page behind it.
 * - No tiles are cut out of the picture before something is drawn in them: MapLibre does it for each source, twice, once
 *   for opaque layers that few sources have.
 * - Names are not placed anew in each frame of a map that is dragged, but when some have come, and a few times a second.
 */
export class LeanMap extends MapLibre {
  /** Called when the map is made, and again whenever the browser had taken its context away. */
  override _setupPainter(): void {
    const canvas = this.getCanvas();
    const plain: Context = HTMLCanvasElement.prototype.getContext;
    canvas.getContext = ((kind: string, given?: object) =>
      plain.call(canvas, kind, { ...given, alpha: false })) as Context;
    super._setupPainter();
    const { painter } = this;
    painter.drawFunctions = { ...painter.drawFunctions, sky: () => undefined };
    const begin = painter.maybeDrawDepth.bind(painter);
    painter.maybeDrawDepth = (frame) => {
      cutLate(frame);
      begin(frame);
    };
    // Until the style is drawn the canvas is black: the page shows instead.
    canvas.style.opacity = "0";
    this.once("style.load", () => {
      this.once("render", () => {
        canvas.style.opacity = "";
      });
    });
  }

  /** Called whenever the map gets a style. */
  override _updateStyle(...given: Parameters<MapLibre["_updateStyle"]>): this {
    super._updateStyle(...given);
    const { style } = this;
    if (style === undefined) return this; // the map is taken away
    let come = true;
    style.on("data", (event) => {
      if ("tile" in event) come = true;
    });
    const place = style._updatePlacement.bind(style);
    style._updatePlacement = (...[transform, boxes, fade, ...more]: Parameters<Place>) => {
      const calm = this.dragPan.isActive() && !come;
      come = false;
      return place(transform, boxes, calm ? PLACED_MS : fade, ...more);
    };
    return this;
  }
}

/** Have the tiles of a source cut out of a frame when the first thing is drawn in one. */
function cutLate(frame: Frame): void {
  const cut = frame.renderTileClippingMasks.bind(frame);
  const draw = frame.stencilModeForClipping.bind(frame);
  let due: Parameters<Frame["renderTileClippingMasks"]> | null = null;
  frame.renderTileClippingMasks = (...asked) => {
    due = asked;
  };
  frame.stencilModeForClipping = (tile) => {
    if (due !== null) cut(...due);
    due = null;
    return draw(tile);
  };
}
