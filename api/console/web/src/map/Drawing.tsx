import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, LayerSpecification } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { useMap } from "./MapView";

/** A layer of a drawing: as in the style specification, without the source, which is the drawing's own. */
export type DrawnLayer = LayerSpecification extends infer One
  ? One extends { source: string }
    ? Omit<One, "source">
    : never
  : never;

interface Props {
  /** Of the source; layers begin their ids with it. */
  id: string;
  /** Longitude, latitude; degrees, WGS 84. */
  data: FeatureCollection;
  /** In the colours of the theme; made anew when that changes. */
  layers: () => readonly DrawnLayer[];
}

/** Features on the map around it. */
export function Drawing({ id, data, layers }: Props) {
  const shown = useMap();
  const latest = useRef(data);
  latest.current = data;
  const make = useRef(layers);
  make.current = layers;

  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    map.addSource(id, { type: "geojson", data: latest.current });
    const made = make.current().map((layer) => ({ ...layer, source: id }) as LayerSpecification);
    for (const layer of made) map.addLayer(layer);
    return () => {
      if (map.style === undefined) return; // removed as a whole
      for (const layer of made) if (map.getLayer(layer.id)) map.removeLayer(layer.id);
      if (map.getSource(id)) map.removeSource(id);
    };
  }, [shown, id]);

  useEffect(() => {
    (shown?.map.getSource(id) as GeoJSONSource | undefined)?.setData(data);
  }, [shown, id, data]);

  return null;
}

/** A colour of the theme, by the name of its token without the dashes. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
