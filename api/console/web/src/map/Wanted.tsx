import { Marker } from "maplibre-gl";
import { useEffect } from "preact/hooks";
import { useMap } from "./MapView";
import { wanted } from "./wanted";

const CLOSE = 12;

/** Goes to the place that the reader asked for, and marks it. */
export function Wanted() {
  const shown = useMap();
  const place = wanted.value;
  useEffect(() => {
    if (shown === null || place === null) return;
    const { map } = shown;
    const pin = document.createElement("div");
    pin.className = "pin";
    const marker = new Marker({ element: pin }).setLngLat([place.lon, place.lat]).addTo(map);
    map.jumpTo({ center: [place.lon, place.lat], zoom: Math.max(map.getZoom(), CLOSE) });
    return () => {
      marker.remove();
    };
  }, [shown, place]);
  return null;
}
