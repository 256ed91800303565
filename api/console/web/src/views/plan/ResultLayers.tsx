import type { Feature, FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect } from "preact/hooks";
import { boxOf } from "../../map/box";
import { colour, Drawing, type DrawnLayer } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { type Layer, pointedAt, pointedM, shownLayers, sortie } from "./chosen";
import { NAMES } from "./DraftLayers";
import type { Point } from "./draft";
import { alongM, nearestM, placeAt } from "./geometry";
import type { Planning, Result } from "./planning";
import { wantedOf } from "./readiness";
import { scaleColours, scaleOf } from "./scale";

/** What the planner found, on the map. */
export function ResultLayers({ planning, result }: { planning: Planning; result: Result }) {
  const features = [...featuresOf(result), ...basesOf(planning)];
  usePointing(result);
  return (
    <>
      <Drawing id="plan-result" data={{ type: "FeatureCollection", features }} layers={layers} under={NAMES} />
      <Pointed />
      <Fit result={result} />
    </>
  );
}

/** Where its ways begin: an earlier plan has bases that may not be those of the draft. */
function basesOf(planning: Planning): Feature[] {
  return shownLayers.value.has("ways")
    ? wantedOf(planning).map(({ at }) => ({
        type: "Feature",
        properties: { layer: "base" },
        geometry: { type: "Point", coordinates: at },
      }))
    : [];
}

function featuresOf({ map }: Result): Feature[] {
  const shown = shownLayers.value;
  const of = (layer: Layer, features: readonly { geometry: unknown; properties: object }[], kind: string = layer) =>
    shown.has(layer)
      ? features.map((one) => ({ ...one, type: "Feature", properties: { ...one.properties, layer: kind } }) as Feature)
      : [];
  const scale = scaleOf(map.revisit.map((one) => one.properties.revisit_s));
  const revisit = map.revisit.map((one) => ({
    ...one,
    properties: { ...one.properties, step: scale.step(one.properties.revisit_s) },
  }));
  const ways = map.sorties.map((one) => ({
    ...one,
    properties: { name: one.properties.name, chosen: one.properties.name === sortie.value },
  }));
  const footprints = map.footprints.filter((one) => sortie.value === null || one.properties.sortie === sortie.value);
  const fences = map.fences.filter((one) => sortie.value === null || one.properties.sortie === sortie.value);
  return [
    ...of("bands", map.bands),
    ...of("footprint", footprints),
    ...of("fences", fences),
    ...of("revisit", revisit),
    ...of("ways", ways),
    ...of("gaps", map.gaps),
    ...of("bands", map.borders, "border"),
  ];
}

function layers(): DrawnLayer[] {
  const is = (layer: string) => ["==", ["get", "layer"], layer] as ["==", ["get", string], string];
  const chosen = ["boolean", ["get", "chosen"], false] as ["boolean", ["get", string], boolean];
  const step = ["coalesce", ["get", "step"], 0];
  const steps = scaleColours();
  return [
    {
      id: "plan-result-bands",
      type: "fill",
      filter: is("bands"),
      paint: { "fill-color": colour("own"), "fill-opacity": 0.1 },
    },
    {
      id: "plan-result-footprint",
      type: "fill",
      filter: is("footprint"),
      paint: { "fill-color": colour("good"), "fill-opacity": 0.28, "fill-outline-color": colour("good") },
    },
    {
      id: "plan-result-fences",
      type: "line",
      filter: is("fences"),
      paint: {
        "line-color": ["case", ["get", "inside"], colour("soft"), colour("bad")],
        "line-width": 1.5,
        "line-dasharray": [2, 2],
      },
    },
    {
      id: "plan-result-revisit",
      type: "line",
      filter: is("revisit"),
      layout: { "line-cap": "butt" },
      paint: {
        "line-color": ["match", step, ...steps.flatMap((each, place) => [place, each]), steps[0] ?? "#888888"] as never,
        // The longer it is left alone the wider: it is not said by colour alone.
        "line-width": ["+", 6, ["*", 2.5, step]] as never,
      },
    },
    {
      id: "plan-result-border",
      type: "line",
      filter: is("border"),
      paint: { "line-color": colour("crossing"), "line-width": 2 },
    },
    {
      id: "plan-result-ways-under",
      type: "line",
      filter: is("ways"),
      layout: { "line-join": "round", "line-sort-key": ["case", chosen, 1, 0] },
      paint: { "line-color": colour("paper"), "line-width": ["case", chosen, 6, 3] },
    },
    {
      id: "plan-result-ways",
      type: "line",
      filter: is("ways"),
      layout: { "line-join": "round", "line-sort-key": ["case", chosen, 1, 0] },
      paint: {
        "line-color": ["case", chosen, colour("act"), colour("own")],
        "line-width": ["case", chosen, 3.5, 1.4],
        "line-opacity": ["case", chosen, 1, 0.85],
      },
    },
    {
      id: "plan-result-bases",
      type: "circle",
      filter: is("base"),
      paint: {
        "circle-radius": 5,
        "circle-color": colour("own"),
        "circle-stroke-color": colour("paper"),
        "circle-stroke-width": 2,
      },
    },
    {
      id: "plan-result-gaps",
      type: "circle",
      filter: is("gaps"),
      paint: {
        "circle-radius": 5,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": colour("bad"),
        "circle-stroke-width": 2,
      },
    },
  ];
}

/** The place that the height profile points at. */
function Pointed() {
  const at = pointedAt.value;
  const data: FeatureCollection = {
    type: "FeatureCollection",
    features: at === null ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } }],
  };
  return (
    <Drawing
      id="plan-pointed"
      data={data}
      layers={() => [
        {
          id: "plan-pointed-ring",
          type: "circle",
          paint: {
            "circle-radius": 8,
            "circle-color": colour("act"),
            "circle-stroke-color": colour("paper"),
            "circle-stroke-width": 3,
          },
        },
      ]}
    />
  );
}

/** A click on a way chooses its sortie; the pointer over the chosen one marks its place in the height profile. */
function usePointing(result: Result): void {
  const shown = useMap();
  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const near = (event: MapMouseEvent) => {
      if (map.getLayer("plan-result-ways") === undefined) return [];
      const { x, y } = event.point;
      const box: [[number, number], [number, number]] = [
        [x - 5, y - 5],
        [x + 5, y + 5],
      ];
      return map.queryRenderedFeatures(box, { layers: ["plan-result-ways"] }).map((one) => String(one.properties.name));
    };
    const click = (event: MapMouseEvent) => {
      const [name] = near(event);
      if (name !== undefined) sortie.value = name;
    };
    const move = (event: MapMouseEvent) => {
      const name = sortie.peek();
      if (name === null || !near(event).includes(name)) {
        pointedM.value = null;
        pointedAt.value = null;
        return;
      }
      const way = wayOf(result, name);
      const along = alongM(way);
      const m = nearestM(way, along, [event.lngLat.lng, event.lngLat.lat]);
      pointedM.value = m * measure(result, name, along);
      pointedAt.value = placeAt(way, along, m);
    };
    map.on("click", click);
    map.on("mousemove", move);
    return () => {
      map.off("click", click);
      map.off("mousemove", move);
    };
  }, [shown, result]);
}

/** What a metre of this page's sphere is on the service's ellipsoid, along a sortie. */
export function measure(result: Result, name: string, along: readonly number[]): number {
  const flown = result.profiles.find((one) => one.sortie === name)?.distance_m.at(-1) ?? 0;
  const here = along.at(-1) ?? 0;
  return here > 0 && flown > 0 ? flown / here : 1;
}

/** The places of a sortie, in the order in which it flies. */
export function wayOf(result: Result, name: string): Point[] {
  const found = result.map.sorties.find((one) => one.properties.name === name)?.geometry;
  if (found === undefined) return [];
  const lines = found.type === "LineString" ? [found.coordinates] : found.coordinates;
  return lines.flat().map(([lon = 0, lat = 0]): Point => [lon, lat]);
}

/** Pixels that tools and layers take. */
export const AROUND = { top: 70, bottom: 40, left: 40, right: 200 };

/** Goes to a plan once, when it is there. */
function Fit({ result }: { result: Result }) {
  const shown = useMap();
  const key = result.files[0]?.href ?? "";
  useEffect(() => {
    const box = boxOf(result.map.sorties.flatMap((one) => wayOf(result, one.properties.name)));
    if (shown !== null && box !== null) shown.map.fitBounds(box, { padding: AROUND, animate: false });
  }, [key]);
  return null;
}
