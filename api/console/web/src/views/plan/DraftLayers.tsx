import { useComputed } from "@preact/signals";
import type { FeatureCollection } from "geojson";
import { colour, Drawing, type DrawnLayer } from "../../map/Drawing";
import { draft } from "./history";

/** Layer of the names, which stay above what the planner found. */
export const NAMES = "plan-draft-names";

/** Beside what is drawn: hachures on the own side of the border, and the names of bases and zones. */
export function DraftLayers() {
  const data = useComputed((): FeatureCollection => {
    const { lines, bases, zones, border } = draft.value;
    return {
      type: "FeatureCollection",
      features: [
        ...(border === "drawn" ? lines : []).map((line) => ({
          type: "Feature" as const,
          properties: { own: line.ownSide === "left" ? -1 : 1 },
          geometry: { type: "LineString" as const, coordinates: line.points },
        })),
        ...bases.map((base) => ({
          type: "Feature" as const,
          properties: {
            label: `${base.name} · ${base.aircraft.reduce((sum, each) => sum + (each.count ?? 0), 0)}`,
          },
          geometry: { type: "Point" as const, coordinates: base.at },
        })),
        ...zones.map((zone) => ({
          type: "Feature" as const,
          properties: { label: zone.name },
          geometry: { type: "Polygon" as const, coordinates: [zone.ring] },
        })),
      ],
    };
  });
  return <Drawing id="plan-draft" data={data.value} layers={layers} />;
}

function layers(): DrawnLayer[] {
  // A wide dashed line beside the border is a row of short strokes at its own side.
  const hachures = (own: number): DrawnLayer => ({
    id: `plan-draft-own-${own}`,
    type: "line",
    filter: ["==", ["get", "own"], own],
    paint: {
      "line-color": colour("crossing"),
      "line-width": 9,
      "line-offset": own * 6,
      "line-dasharray": [0.22, 1.3],
    },
  });
  return [
    hachures(-1),
    hachures(1),
    {
      id: NAMES,
      type: "symbol",
      filter: ["has", "label"],
      layout: {
        "text-field": ["get", "label"],
        "text-font": ["sans-serif"],
        "text-size": 13,
        "text-offset": [0, 1.1],
        "text-anchor": "top",
      },
      paint: { "text-color": colour("ink"), "text-halo-color": colour("paper"), "text-halo-width": 1.5 },
    },
  ];
}
