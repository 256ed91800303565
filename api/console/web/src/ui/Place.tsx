import { placeFormat } from "../app/preferences";
import { placeText } from "./coordinates";

/** A place on the ground as the reader likes it; degrees, WGS 84, of as many `decimals` as there is room for. */
export function Place({ lat, lon, decimals }: { lat: number; lon: number; decimals?: number }) {
  return <span class="place">{placeText(lat, lon, placeFormat.value, decimals)}</span>;
}
