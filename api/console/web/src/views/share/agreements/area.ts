/** Areas as GeoJSON (RFC 7946), read from what somebody pastes or imports. What they must be, the service says. */

import type { Schemas } from "../../../api/client";
import { boxOf } from "../../../map/box";
import type { Box } from "../../../map/MapView";

export type Area = Schemas["Polygon"] | Schemas["MultiPolygon"];
type Ring = Schemas["Polygon"]["coordinates"][number];

const POLYGONS = "no polygon is in it: give a Polygon or MultiPolygon, alone or in features";

/** The polygons of a text as one area, or what is wrong with it. */
export function readArea(text: string): { area: Area } | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `this is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const polygons: Ring[][] = [];
  try {
    gather(value, polygons);
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
  const [first] = polygons;
  if (first === undefined) return { fault: POLYGONS };
  return {
    area:
      polygons.length === 1 ? { type: "Polygon", coordinates: first } : { type: "MultiPolygon", coordinates: polygons },
  };
}

function gather(value: unknown, polygons: Ring[][]): void {
  if (typeof value !== "object" || value === null) return;
  const object = value as Record<string, unknown>;
  switch (object.type) {
    case "FeatureCollection":
      for (const feature of listOf(object.features)) gather(feature, polygons);
      break;
    case "Feature":
      gather(object.geometry, polygons);
      break;
    case "GeometryCollection":
      for (const geometry of listOf(object.geometries)) gather(geometry, polygons);
      break;
    case "Polygon":
      polygons.push(listOf(object.coordinates).map(ringOf));
      break;
    case "MultiPolygon":
      for (const polygon of listOf(object.coordinates)) polygons.push(listOf(polygon).map(ringOf));
      break;
  }
}

function ringOf(value: unknown): Ring {
  return listOf(value).map((place) => {
    const [lon, lat] = listOf(place);
    if (typeof lon !== "number" || typeof lat !== "number") throw new Error("a place is longitude and latitude");
    return [lon, lat];
  });
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error("where GeoJSON has a list of coordinates or features, there is none");
  return value;
}

/** All rings of an area, holes too. */
export function ringsOf(area: Area): Ring[] {
  return area.type === "Polygon" ? area.coordinates : area.coordinates.flat();
}

/** West, south, east, north of an area; null of one without a place. */
export function boxOfArea(area: Area): Box | null {
  return boxOf(ringsOf(area).flat());
}
