import type { Map as MapLibre } from "maplibre-gl";
import { TerraDrawExtend } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

/**
 * Puts what is drawn on a map whose style may be set anew, or that may be gone, at any moment: its layers go with them, and
 * what waits for the next frame, or is cleared, has nothing to be put on then.
 */
export class PenAdapter extends TerraDrawMapLibreGLAdapter<MapLibre> {
  readonly #map: MapLibre;
  readonly #prefix: string;

  constructor(map: MapLibre, prefix: string) {
    super({ map, coordinatePrecision: 7, prefixId: prefix });
    this.#map = map;
    this.#prefix = prefix;
    // biome-ignore lint/complexity/useLiteralKeys: it is private, and no other place comes after the wait for the frame
    const put: (kind: string, features: unknown) => string = this["_setGeoJSONLayerData"].bind(this);
    Object.assign(this, {
      _setGeoJSONLayerData: (kind: string, features: unknown) => (this.#drawn ? put(kind, features) : ""),
    });
  }

  override clear(): void {
    if (this.#drawn) super.clear();
  }

  override unregister(): void {
    if (this.#drawn) super.unregister();
    else TerraDrawExtend.TerraDrawBaseAdapter.prototype.unregister.call(this);
  }

  get #drawn(): boolean {
    return this.#map.style !== undefined && this.#map.getSource(`${this.#prefix}-point`) !== undefined;
  }
}
