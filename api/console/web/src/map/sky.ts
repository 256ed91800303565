import type { Map as MapLibre } from "maplibre-gl";

/**
 * Draw no sky.
 *
 * MapLibre draws one over the whole picture before everything else, even where the style has none: it is transparent
 * then, but drawn by the dearest of its programs. Where the processor draws the map, that is half of the work.
 */
export function withoutSky(map: MapLibre): void {
  map.painter.drawFunctions = { ...map.painter.drawFunctions, sky: () => undefined };
}
