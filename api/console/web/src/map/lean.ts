import { Map as MapLibre, type MapOptions } from "maplibre-gl";

type Context = HTMLCanvasElement["getContext"];
type Frame = Parameters<MapLibre["painter"]["maybeDrawDepth"]>[0];
type Place = MapLibre["style"]["_updatePlacement"];

/** A frame of a map that is dragged which takes longer than this is drawn by the processor, or by one that is busy. */
const SLOW_MS = 40;
/** So many of these, and the rest of the way is drawn coarser. */
const SLOW_FRAMES = 3;
/** Of the breadth and of the height: half of the pixels. */
const COARSE = 0.7;
/** A display shows a picture at least so often: who keeps up with that has no need of coarse ones. */
const PACE_MS = 25;

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
 * - Where frames are slow all the same, the map has half of the pixels from the third slow one on until it rests.
 */
export class LeanMap extends MapLibre {
  constructor(options: MapOptions) {
    super(options);
    coarseWhileDragged(this);
  }

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

/**
 * Draw fewer pixels while a hand moves the map, if all of them cannot be drawn in time: that the ground keeps up with the
 * hand says more than a sharp edge that comes late. A map that is at rest has all of its pixels.
 */
function coarseWhileDragged(map: MapLibre): void {
  /** Whether the way before was too slow, drawn coarse or not: then the next begins coarse. */
  let wasSlow = false;
  let coarse = false;
  let asked = 0;
  let frames: number[] = [];
  let last = 0;

  const draw = (to: boolean) => {
    if (coarse === to) return;
    coarse = to;
    map._overridePixelRatio = to ? devicePixelRatio * COARSE : undefined; // that of the browser, which changes with its zoom
    map._resizeInternal(false); // `setPixelRatio` would stop the hand
    map.redraw(); // one that is resized is empty until it is drawn
  };
  const step = (now: number) => {
    if (last > 0) frames.push(now - last);
    last = now;
    if (wasSlow || frames.filter((ms) => ms > SLOW_MS).length >= SLOW_FRAMES) draw(true);
    asked = requestAnimationFrame(step);
  };
  const rest = () => {
    cancelAnimationFrame(asked);
    if (!coarse) return;
    wasSlow = frames.filter((ms) => ms > PACE_MS).length > frames.length / 2;
    asked = requestAnimationFrame(() => draw(false)); // it may be amid a picture now
  };
  map.on("dragstart", () => {
    cancelAnimationFrame(asked);
    [frames, last] = [[], 0];
    asked = requestAnimationFrame(step);
  });
  map.on("moveend", rest);
  map.on("remove", () => cancelAnimationFrame(asked));
}
