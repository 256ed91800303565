import { Map as MapLibre } from "maplibre-gl";

type Context = HTMLCanvasElement["getContext"];

/**
 * A map that leaves out what MapLibre does for nothing. Where the processor draws the map, that is half of the work.
 *
 * - No sky. MapLibre draws one over the whole picture before everything else, even where the style has none: it is
 *   transparent then, but drawn by the dearest of its programs.
 * - No alpha. The lowest layer fills the picture; one that says so is not blended with the page behind it.
 */
export class LeanMap extends MapLibre {
  /** Called when the map is made, and again whenever the browser had taken its context away. */
  override _setupPainter(): void {
    const canvas = this.getCanvas();
    const plain: Context = HTMLCanvasElement.prototype.getContext;
    canvas.getContext = ((kind: string, given?: object) =>
      plain.call(canvas, kind, { ...given, alpha: false })) as Context;
    super._setupPainter();
    this.painter.drawFunctions = { ...this.painter.drawFunctions, sky: () => undefined };
    // Until the style is drawn the canvas is black: the page shows instead.
    canvas.style.opacity = "0";
    this.once("style.load", () => {
      this.once("render", () => {
        canvas.style.opacity = "";
      });
    });
  }
}
