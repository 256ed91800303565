import { placeFormat } from "../app/preferences";
import { placeText } from "./coordinates";

/** A place on the ground as the reader likes it; degrees, WGS 84. */
export function Place({ lat, lon }: { lat: number; lon: number }) {
  return <span class="place">{placeText(lat, lon, placeFormat.value)}</span>;
}
