import type { Position } from "geojson";
import { type GeoJSONSource, type Map as MapLibre, Marker, type PointLike } from "maplibre-gl";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { boxOf } from "../../map/box";
import { Drawing } from "../../map/Drawing";
import { type Box, MapView, useMap } from "../../map/MapView";
import { Measure } from "../../ui/measure/Measure";
import { Fleet } from "./Fleet";
import { Lines } from "./Lines";
import { borderOf, crossingLayers, crossingsOf, cueLayers, cuesOf, isFresh, sensorLayers, sensorsOf } from "./layers";
import type { Watch } from "./watch";

/** What was clicked on: the uppermost thing there, or the bare ground. */
export interface Hit {
  kind: "vehicle" | "cue" | "ground";
  id: string;
  at: Position;
}

/** Where the map is to be brought. */
export interface Sight {
  at: Position;
  /** Not where it is on the map already; the scale stays. */
  unlessSeen?: boolean;
}

interface Props {
  watch: Watch;
  chosen: string | null;
  follows: boolean;
  /** Whether the next click says where to go. */
  aims: boolean;
  /** Goes up when all is to be seen. */
  fit: number;
  /** The map is brought there; a new object each time. */
  sight: Sight | null;
  onHit: (hit: Hit) => void;
  /** The person moved the map by hand. */
  onPull: () => void;
}

const WORLD: Box = [-25, 20, 60, 65];
const NEAR_PX = 12;
const NEAR_ZOOM = 13;
const GROUPS = { clusterRadius: 45, clusterMaxZoom: 13 };
const PULSES = 20;
/** Ages of cues on the map go by half minutes. */
const STEP_MS = 30_000;

/** Everything there is to see, on one map. */
export function FlyMap(props: Props) {
  const { watch, chosen, follows } = props;
  const minute = Math.floor(watch.now.value / STEP_MS) * STEP_MS;
  const segments = watch.segments.all.value;
  const sensors = watch.sensors.all.value;
  const cues = watch.cues.all.value;
  const crossings = watch.crossings.all.value;
  const border = useMemo(() => borderOf(segments.values()), [segments]);
  const posts = useMemo(() => sensorsOf(sensors.values()), [sensors]);
  const heard = useMemo(() => cuesOf(cues.values(), minute), [cues, minute]);
  const passed = useMemo(() => crossingsOf(crossings.values()), [crossings]);
  return (
    <MapView label={t("fly.map")} box={WORLD}>
      <Lines watch={watch} border={border} chosen={chosen} />
      <Drawing id="fly-sensors" data={posts} layers={sensorLayers} />
      <Drawing id="fly-crossings" data={passed} layers={crossingLayers} groups={GROUPS} />
      <Drawing id="fly-cues" data={heard} layers={cueLayers} />
      <Fleet watch={watch} chosen={chosen} follows={follows} />
      <Pulses watch={watch} />
      <Hands {...props} />
      <Measure />
    </MapView>
  );
}

/** Pixels about what is to be seen: beside vehicles stand their labels. */
function around(map: MapLibre) {
  const aside = Math.min(200, map.getContainer().clientWidth / 4);
  return { top: 90, bottom: 90, left: aside, right: aside };
}

/** Rings that swell about new cues: elements of the page, so that the map itself need not be drawn for them. */
function Pulses({ watch }: { watch: Watch }) {
  const shown = useMap();
  const now = watch.now.value;
  const fresh = [...watch.cues.all.value.values()]
    .filter((each) => isFresh(each, now))
    .sort((a, b) => b.time.localeCompare(a.time))
    .slice(0, PULSES);
  const names = fresh.map((each) => each.id).join(" ");
  useEffect(() => {
    if (shown === null) return;
    const markers = fresh.map((each) => {
      const element = document.createElement("div");
      element.className = "pulse";
      element.setAttribute("aria-hidden", "true");
      const [lon = 0, lat = 0] = each.at;
      return new Marker({ element }).setLngLat([lon, lat]).addTo(shown.map);
    });
    return () => {
      for (const each of markers) each.remove();
    };
  }, [shown, names]);
  return null;
}

/** What is done to the map, and by it. */
function Hands({ watch, aims, fit, sight, onHit, onPull }: Props) {
  const shown = useMap();
  const latest = useRef({ onHit, onPull });
  latest.current = { onHit, onPull };
  const { vehicles, segments, crossings } = watch;
  const last = watch.lastPlace.value;
  const some = last !== null || [vehicles, segments, crossings].some(({ all }) => all.value.size > 0);
  const ready = watch.ready.value && some;

  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const click = map.on("click", async (event) => {
      const { x, y } = event.point;
      const around: [PointLike, PointLike] = [
        [x - NEAR_PX, y - NEAR_PX],
        [x + NEAR_PX, y + NEAR_PX],
      ];
      const layers = ["fly-vehicles", "fly-cues", "fly-crossing-groups"].filter((id) => map.getLayer(id) !== undefined);
      const found = map.queryRenderedFeatures(around, { layers });
      const at: Position = event.lngLat.wrap().toArray();
      const hit = layers.map((id) => found.find((each) => each.layer.id === id)).find((each) => each !== undefined);
      if (hit?.layer.id === "fly-crossing-groups") {
        const source = map.getSource("fly-crossings") as GeoJSONSource;
        const zoom = await source.getClusterExpansionZoom(Number(hit.properties.cluster_id));
        map.easeTo({ center: event.lngLat, zoom });
        return;
      }
      const kind = hit === undefined ? "ground" : hit.layer.id === "fly-cues" ? "cue" : "vehicle";
      latest.current.onHit({ kind, id: String(hit?.properties.id ?? ""), at });
    });
    const pull = map.on("dragstart", () => latest.current.onPull());
    return () => {
      click.unsubscribe();
      pull.unsubscribe();
    };
  }, [shown]);

  useEffect(() => {
    if (shown !== null) shown.map.getCanvas().style.cursor = aims ? "crosshair" : "";
  }, [shown, aims]);

  const seen = useRef(false);
  useEffect(() => {
    if (shown === null || !ready || (fit === 0 && seen.current)) return;
    const first = !seen.current;
    seen.current = true;
    const known = [...watch.vehicles.all.peek().values()];
    const placesOf = (of: readonly { at: Position | null }[]) => of.flatMap(({ at }) => (at === null ? [] : [at]));
    // What there is to watch, the first that there is: a partner may have crossings alone.
    const all = [
      placesOf(known.filter((each) => each.live !== null)),
      [...watch.segments.all.peek().values()].flatMap((each) => each.line),
      placesOf(known),
      placesOf([...watch.crossings.all.peek().values()]),
      last === null ? [] : [last],
    ];
    const found = all.findIndex((places) => places.length > 0);
    const box = boxOf(all[found] ?? []);
    // About a place at which nothing is drawn there is to be some country.
    const maxZoom = found === all.length - 1 ? 10 : 14;
    if (box !== null) shown.map.fitBounds(box, { padding: around(shown.map), maxZoom, animate: !first });
  }, [shown, ready, fit]);

  useEffect(() => {
    if (shown === null || sight === null) return;
    const [lon = 0, lat = 0] = sight.at;
    const { map } = shown;
    if (sight.unlessSeen !== true) map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), NEAR_ZOOM) });
    else if (!map.getBounds().contains([lon, lat])) map.easeTo({ center: [lon, lat] });
  }, [shown, sight]);

  return null;
}
