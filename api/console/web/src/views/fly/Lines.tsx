import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource } from "maplibre-gl";
import { useEffect } from "preact/hooks";
import { Drawing } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { collection, lineLayers } from "./layers";
import type { Watch } from "./watch";

/** How often trails grow. */
const STEP_MS = 2000;

interface Props {
  watch: Watch;
  border: FeatureCollection;
  /** Which vehicle is looked at. */
  chosen: string | null;
}

/**
 * All lines and areas on the map around it: the border, what cameras see, where vehicles were and where they go.
 *
 * They are one source: MapLibre cuts out the tiles of each source anew, over the whole picture, before it draws lines
 * of it, and that costs more than the lines do.
 */
export function Lines({ watch, border, chosen }: Props) {
  const shown = useMap();

  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    let stirred = false;
    const draw = () => {
      stirred = false;
      const source = map.getSource("fly-lines") as GeoJSONSource | undefined;
      source?.setData(collection([...border.features, ...waysOf(watch, chosen)]));
    };
    draw();
    const stir = () => {
      stirred = true;
    };
    const ends = [watch.vehicles.all.subscribe(stir), watch.sorties.all.subscribe(stir)];
    const timer = setInterval(() => {
      // While somebody drags the map, the ground is to keep up with the hand.
      if (stirred && !document.hidden && !map.dragPan.isActive()) draw();
    }, STEP_MS);
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }, [shown, watch, border, chosen]);

  return <Drawing id="fly-lines" layers={lineLayers} />;
}

function waysOf(watch: Watch, chosen: string | null): Feature[] {
  const features: Feature[] = [];
  for (const one of watch.vehicles.all.peek().values()) {
    const properties = (part: string) => ({ id: one.id, part, chosen: one.id === chosen });
    if (one.footprint !== null && one.live?.stale === false)
      features.push({ type: "Feature", geometry: one.footprint, properties: properties("footprint") });
    const trail = watch.history(one.id)?.trail ?? [];
    if (trail.length > 1)
      features.push({
        type: "Feature",
        geometry: { type: "LineString", coordinates: trail },
        properties: properties("trail"),
      });
    if (one.id !== chosen || one.sortie === null) continue;
    for (const sortie of watch.sorties.all.peek().values()) {
      if (sortie.sourceId === one.sortie || sortie.id === one.sortie)
        features.push({
          type: "Feature",
          geometry: { type: "LineString", coordinates: sortie.way },
          properties: properties("way"),
        });
    }
  }
  return features;
}
