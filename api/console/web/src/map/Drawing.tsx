import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, GeoJSONSourceSpecification, LayerSpecification } from "maplibre-gl";
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
  /** Longitude, latitude; degrees, WGS 84. Without, whoever draws gives them to the source as they come. */
  data?: FeatureCollection;
  /** In the colours of the theme; made anew when that changes. */
  layers: () => readonly DrawnLayer[];
  /** How the source gathers points that lie close together; it does not without. */
  groups?: Pick<GeoJSONSourceSpecification, "clusterRadius" | "clusterMaxZoom">;
  /** Id of the layer that is to stay above these, where it is there. */
  under?: string;
}

const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Features on the map around it. Layers of none are off: MapLibre makes no tiles of a source that nothing shows. */
export function Drawing({ id, data, layers, groups, under }: Props) {
  const shown = useMap();
  const latest = useRef(data);
  latest.current = data;
  const make = useRef(layers);
  make.current = layers;
  const visibility = data?.features.length === 0 ? "none" : "visible";
  const seen = useRef(visibility);
  seen.current = visibility;
  /** What the source has: not to be given twice. */
  const given = useRef<FeatureCollection | undefined>(undefined);
  const made = useRef<readonly LayerSpecification[]>([]);

  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const grouped = groups === undefined ? {} : { cluster: true, ...groups };
    given.current = latest.current;
    map.addSource(id, { type: "geojson", data: latest.current ?? NOTHING, ...grouped });
    const added = make.current().map((layer) => {
      const layout = { ...layer.layout, visibility: seen.current };
      return { ...layer, source: id, layout } as LayerSpecification;
    });
    const above = under !== undefined && map.getLayer(under) ? under : undefined;
    for (const layer of added) map.addLayer(layer, above);
    made.current = added;
    return () => {
      made.current = [];
      if (map.style === undefined) return; // removed as a whole
      for (const layer of added) if (map.getLayer(layer.id)) map.removeLayer(layer.id);
      if (map.getSource(id)) map.removeSource(id);
    };
  }, [shown, id]);

  useEffect(() => {
    if (shown === null || data === undefined || given.current === data) return;
    given.current = data;
    shown.map.getSource<GeoJSONSource>(id)?.setData(data);
    for (const layer of made.current) shown.map.setLayoutProperty(layer.id, "visibility", visibility);
  }, [shown, id, data]);

  return null;
}

/** A colour of the theme, by the name of its token without the dashes. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
