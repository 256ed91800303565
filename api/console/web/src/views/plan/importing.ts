/** Borders, bases and zones from files of other programs: GeoJSON and KML. */

import { isZone, kindOf, meaningOf } from "./airspace";
import { type Draft, newBase, newLine, newZone, type Side } from "./draft";
import { kmlShapes } from "./kml";
import { geojsonShapes, ImportError, type Shape } from "./shapes";

export { ImportError };

export interface Imported {
  draft: Draft;
  /** What of the file is not in the draft, in words. */
  leftOut: string[];
}

/**
 * A draft with what a file adds to it: lines are borders, polygons zones, points bases.
 *
 * @throws {ImportError} when it is neither GeoJSON nor KML, holds nothing of use, or something that is not understood
 */
export function importInto(draft: Draft, fileName: string, text: string): Imported {
  const stem = fileName.replace(/\.[^.]*$/, "");
  const after: Draft = { ...draft, lines: [...draft.lines], bases: [...draft.bases], zones: [...draft.zones] };
  const leftOut: string[] = [];
  for (const shape of /^\s*</.test(text) ? kmlShapes(text) : geojsonShapes(text)) {
    const why = take(after, shape, stem);
    if (why !== null) leftOut.push(`${shape.where}: ${why}`);
  }
  const added = (["lines", "bases", "zones"] as const).some((of) => after[of].length > draft[of].length);
  if (!added) throw new ImportError(["no lines, polygons or points of use", ...leftOut].join("; "));
  return { draft: after.lines.length > draft.lines.length ? { ...after, border: "drawn" } : after, leftOut };
}

/** Add a shape to a draft; why it is not, if it is not. */
function take(draft: Draft, shape: Shape, stem: string): string | null {
  const { form, parts, says, where } = shape;
  const [name, kind] = [typeof says.name === "string" ? says.name.trim() : "", kindOf(shape)];
  const [part = []] = parts;
  switch (form) {
    case "area":
      draft.zones.push({ ...newZone(draft, [], name), ...meaningOf(shape) });
      return parts.length > 1 ? "its holes are taken as part of the zone" : null;
    case "line":
      if (isZone(kind)) throw new ImportError(`${where} is a line of kind ${kind}: a zone is a polygon`);
      if (kind !== "" && kind !== "border") return `a line of kind ${kind} is no border`;
      if (part.length < 2) throw new ImportError(`${where}: a line has two places at least`);
      draft.lines.push({ ...newLine(draft, part, name || stem), ownSide: sideOf(shape) });
      return null;
    case "point": {
      if (kind === "landing_site") return "landing sites are not drawn here";
      if (kind !== "" && kind !== "base")
        throw new ImportError(
          `${where} is a point of kind ${kind}: a zone is a polygon, a base is of kind base or none`,
        );
      const [at] = part;
      if (at !== undefined) draft.bases.push(newBase(draft, at, name));
      return null;
    }
  }
}

/** The left one where it says none: the hachures show it, and it can be flipped. */
function sideOf({ says, where }: Shape): Side {
  if (says.own_side === undefined) return "left";
  const said = String(says.own_side).trim().toLowerCase();
  if (said !== "left" && said !== "right") throw new ImportError(`${where}: own_side is ${said}: say left or right`);
  return said;
}
