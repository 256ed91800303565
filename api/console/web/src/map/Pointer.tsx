import { useSignal } from "@preact/signals";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect } from "preact/hooks";
import { placeFormat } from "../app/preferences";
import { type LatLonPlace, placeText } from "../ui/coordinates";
import { useMap } from "./MapView";

/** Where the pointer is on the map, in the reader's format. */
export function Pointer() {
  const shown = useMap();
  const at = useSignal<LatLonPlace | null>(null);
  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const move = (event: MapMouseEvent) => {
      const { lat, lng } = event.lngLat.wrap();
      at.value = { lat, lon: lng };
    };
    const leave = () => {
      at.value = null;
    };
    map.on("mousemove", move);
    map.on("mouseout", leave);
    return () => {
      map.off("mousemove", move);
      map.off("mouseout", leave);
    };
  }, [shown, at]);
  if (at.value === null) return null;
  return (
    <p class="pointer place" aria-hidden="true">
      {placeText(at.value.lat, at.value.lon, placeFormat.value)}
    </p>
  );
}
