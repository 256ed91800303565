/** What encloses places. */

import type { Position } from "geojson";
import type { Box } from "./MapView";

/** West, south, east, north of places, degrees; null of none. A loop: there may be more of them than a call takes. */
export function boxOf(places: Iterable<Position>): Box | null {
  let box: Box | null = null;
  for (const [lon = 0, lat = 0] of places) {
    box ??= [lon, lat, lon, lat];
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return box;
}
