/** Places in words: degrees, MGRS, UTM; all WGS 84. */

import { type PlaceFormat, placeFormat } from "../app/preferences";

/**
 * A place in the reader's format.
 *
 * @param lat degrees, -90 to 90
 * @param lon degrees, -180 to 180
 */
export function placeText(lat: number, lon: number, format: PlaceFormat = placeFormat.value): string {
  switch (format) {
    case "latlon":
    case "mgrs": // until its grid is here
    case "utm":
      return `${lat.toFixed(6)}°, ${lon.toFixed(6)}°`;
  }
}
