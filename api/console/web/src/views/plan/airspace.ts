/**
 * What zones of map files mean, read as strictly as the service reads them (missions/airspace_files.py): a height or a
 * kind that is misread is a zone that is flown into.
 */

import type { Datum, Zone } from "./draft";
import { ringOf } from "./geometry";
import { ImportError, type Shape } from "./shapes";

const KINDS = ["no_fly", "limits"] as const;
const KNOWN = ["name", "kind", "floor_m", "floor_datum", "ceiling_m", "ceiling_datum", "radius_m"];
const FIGURE = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

type Meaning = Pick<Zone, "kind" | "floorM" | "floorDatum" | "ceilingM" | "ceilingDatum" | "ring">;
interface Height {
  metres: number;
  datum: Datum;
}

/** The kind of a shape, in lower case; empty where it says none. */
export function kindOf({ says }: Shape): string {
  return typeof says.kind === "string"
    ? says.kind.trim().toLowerCase()
    : says.kind === undefined
      ? ""
      : String(says.kind);
}

/** Whether a kind is one of zones. */
export function isZone(kind: string): kind is Zone["kind"] {
  return (KINDS as readonly string[]).includes(kind);
}

/**
 * What an area means as a zone. Its holes are filled: nobody flies in those either.
 *
 * @throws {ImportError} when that is not clear
 */
export function meaningOf(shape: Shape): Meaning {
  const { where, says, top } = shape;
  const kind = kindOf(shape) || "no_fly";
  if (!isZone(kind)) throw new ImportError(`${where}: kind is ${kind}: a zone is one of ${KINDS.join(", ")}`);
  // A word that is passed over makes a no-fly zone larger at most, and limits wider.
  const unknown =
    shape.closed && kind === "limits" ? Object.keys(says).find((name) => !KNOWN.includes(name)) : undefined;
  if (unknown !== undefined) throw new ImportError(`${where}: ${unknown} is not known: give ${KNOWN.join(", ")}`);
  const floor = heightOf(shape, "floor");
  const drawn = top === null ? null : { metres: kind === "limits" ? top.low : top.high, datum: top.datum };
  const ceiling = heightOf(shape, "ceiling") ?? drawn;
  if (kind === "limits" && floor === null && ceiling === null)
    throw new ImportError(`${where}: kind is limits: give floor_m or ceiling_m, or it limits nothing`);
  if (floor !== null && ceiling !== null && floor.datum === ceiling.datum && floor.metres >= ceiling.metres)
    throw new ImportError(`${where}: floor ${floor.metres} m is not below ceiling ${ceiling.metres} m`);
  const ring = ringOf(shape.parts[0] ?? []);
  if (ring === null) throw new ImportError(`${where}: its outline has fewer than three corners`);
  return {
    kind,
    floorM: floor?.metres ?? null,
    floorDatum: floor?.datum ?? "AGL",
    ceilingM: ceiling?.metres ?? null,
    ceilingDatum: ceiling?.datum ?? "AGL",
    ring,
  };
}

function heightOf({ where, says }: Shape, which: "floor" | "ceiling"): Height | null {
  const [value, above] = [says[`${which}_m`], says[`${which}_datum`]];
  if (value === undefined) {
    if (above !== undefined) throw new ImportError(`${where}: ${which}_datum is given without ${which}_m`);
    return null;
  }
  const metres = typeof value === "string" && FIGURE.test(value.trim()) ? Number(value) : value;
  if (typeof metres !== "number" || !Number.isFinite(metres))
    throw new ImportError(`${where}: ${which}_m is ${JSON.stringify(value)}: give a number`);
  const datum = typeof above === "string" ? above.trim().toUpperCase() : above;
  if (datum !== "AGL" && datum !== "AMSL") {
    const said = above === undefined ? "missing" : JSON.stringify(above);
    throw new ImportError(`${where}: ${which}_datum is ${said}: give AGL or AMSL`);
  }
  return { metres, datum };
}
