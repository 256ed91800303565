/** Shapes of KML files (OGC 12-007r2). */

import type { Datum } from "./draft";
import { ImportError, lowered, pointOf, type Shape } from "./shapes";

/** Heights by their mode; clampToGround, which is the usual one, has none. */
const DATUMS: Readonly<Record<string, Datum>> = { relativeToGround: "AGL", absolute: "AMSL" };

/**
 * The lines, polygons and points of all placemarks, with their names and data.
 *
 * @throws {ImportError} when it is broken, links to another file, or a placemark has nothing that is understood: what is
 *   left out may be a zone, and then it is flown into
 */
export function kmlShapes(text: string): Shape[] {
  const read = new DOMParser().parseFromString(text, "application/xml");
  if (read.querySelector("parsererror") !== null) throw new ImportError("its XML is broken");
  if (all(read, "NetworkLink").length > 0)
    throw new ImportError("it links to another file: save it with the contents of that");
  return all(read, "Placemark").flatMap((placemark, place) => {
    const name = textOf(placemark, "name");
    const where = `placemark ${place + 1}${name === "" ? "" : ` (${name})`}`;
    const says = lowered([
      ...all(placemark, "Data").map((each) => [each.getAttribute("name") ?? "", textOf(each, "value")] as const),
      ...all(placemark, "SimpleData").map((each) => [each.getAttribute("name") ?? "", each.textContent] as const),
      ["name", name],
    ]);
    const shape = (form: Shape["form"], parts: number[][][], top: Shape["top"] = null): Shape => {
      if (parts.some((part) => part.length === 0)) throw new ImportError(`${where} lacks coordinates`);
      return { where, form, parts: parts.map((way) => way.map((at) => pointOf(at, where))), says, closed: false, top };
    };
    const shapes = [
      ...all(placemark, "LineString").map((each) => shape("line", [wayOf(each)])),
      ...all(placemark, "Polygon").map((each) => shape("area", ringsOf(each, where), topOf(each))),
      ...all(placemark, "Point").map((each) => shape("point", [wayOf(each)])),
    ];
    if (shapes.length === 0)
      throw new ImportError(
        `${where} has no geometry that is understood: draw it as line, polygon or point, or delete it`,
      );
    return shapes;
  });
}

const all = (within: Document | Element, name: string): Element[] => [...within.getElementsByTagNameNS("*", name)];
const textOf = (within: Element, name: string): string => all(within, name)[0]?.textContent?.trim() ?? "";

function ringsOf(polygon: Element, where: string): number[][][] {
  const outer = all(polygon, "outerBoundaryIs");
  if (outer.length === 0) throw new ImportError(`${where}: its polygon has no outerBoundaryIs`);
  return [...outer, ...all(polygon, "innerBoundaryIs")].map(wayOf);
}

/** One that is not extruded is a sheet in the air, of which nobody can say what is below it. */
function topOf(polygon: Element): Shape["top"] {
  const datum = DATUMS[textOf(polygon, "altitudeMode")];
  const [outer] = all(polygon, "outerBoundaryIs");
  if (datum === undefined || outer === undefined || !["1", "true"].includes(textOf(polygon, "extrude"))) return null;
  const heights = wayOf(outer).flatMap(([, , height]) => (height === undefined ? [] : [height]));
  if (heights.length === 0 || !heights.every(Number.isFinite)) return null;
  const sorted = heights.toSorted((a, b) => a - b);
  return { low: sorted[0] ?? 0, high: sorted.at(-1) ?? 0, datum };
}

function wayOf(element: Element): number[][] {
  const tuples = textOf(element, "coordinates").split(/\s+/).filter(Boolean);
  return tuples.map((tuple) => tuple.split(",").map(Number));
}
