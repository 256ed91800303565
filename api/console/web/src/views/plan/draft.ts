/** What a pilot wants planned, as the page keeps it: every figure that is not said is null, and the planner's own counts. */

import type { Options } from "./options";

/** Longitude, latitude; degrees, WGS 84. */
export type Point = [number, number];
export type Side = "left" | "right";
export type Datum = "AGL" | "AMSL";
/** Of the autopilot that the files are for. */
export type Dialect = "ardupilot" | "px4";
export type Objective = "revisit" | "coverage" | "risk";

/** A line of the border; the side is that of one who walks along it. */
export interface Line {
  id: string;
  name: string;
  ownSide: Side;
  points: Point[];
}

/** So many aircraft of one model. */
export interface Standing {
  /** Id of a model, or {@link READY_MODEL}: names change while they are written. */
  model: string;
  count: number | null;
}

export interface Base {
  id: string;
  name: string;
  at: Point;
  aircraft: Standing[];
}

/** A no-fly zone, or an area with a floor or a ceiling of its own; heights in metres. */
export interface Zone {
  id: string;
  name: string;
  kind: "no_fly" | "limits";
  floorM: number | null;
  floorDatum: Datum;
  ceilingM: number | null;
  ceilingDatum: Datum;
  /** Closed: the last place is the first. */
  ring: Point[];
}

/** Figures of an aircraft: metres a second, watts, watt hours, seconds. */
export const FIGURES = [
  "cruise_m_s",
  "max_m_s",
  "climb_m_s",
  "descent_m_s",
  "hover_power_w",
  "cruise_power_w",
  "climb_power_w",
  "battery_wh",
  "reserve_fraction",
  "turn_round_s",
] as const;
export type Figure = (typeof FIGURES)[number];

/** A type of aircraft beside the ready-made one. */
export interface Model {
  id: string;
  name: string;
  figures: Record<Figure, number | null>;
}

/** Pixels, degrees, metres a pixel. */
export interface Lens {
  widthPx: number | null;
  heightPx: number | null;
  fovDeg: number | null;
  modality: "thermal" | "visible";
  maxGsdM: number | null;
}

/** A stretch of a border that ships with the service: `near` is the middle, as it was written. */
export interface Shipped {
  own: string;
  neighbour: string;
  near: string;
  lengthKm: number | null;
}

export interface Draft {
  name: string;
  border: "drawn" | "shipped";
  lines: Line[];
  shipped: Shipped;
  bases: Base[];
  zones: Zone[];
  models: Model[];
  /** Null is the ready-made camera. */
  camera: Lens | null;
  standOffM: number | null;
  bandOwnM: number | null;
  bandFarM: number | null;
  objective: Objective;
  /** Stretches that matter more, for the objective risk. */
  risks: Risk[];
  shiftH: number | null;
  /** RFC 3339; empty for any day. */
  start: string;
  windSpeed: number | null;
  windFromDeg: number | null;
  ground: "level" | "terrain";
  groundM: number | null;
  dialect: Dialect;
  /** Whether the planner proposes places to come down in an emergency. */
  landingSites: boolean;
  options: Options;
}

/** Metres along the border, hours of the day, weight (1 is the usual). */
export interface Risk {
  id: string;
  fromM: number | null;
  toM: number | null;
  fromHour: number | null;
  toHour: number | null;
  weight: number | null;
}

/** Id and name of the model that the planner knows without being told. */
export const READY_MODEL = "multirotor";

export const READY_FIGURES: Record<Figure, number> = {
  cruise_m_s: 18,
  max_m_s: 23,
  climb_m_s: 5,
  descent_m_s: 3,
  hover_power_w: 520,
  cruise_power_w: 560,
  climb_power_w: 800,
  battery_wh: 620,
  reserve_fraction: 0.2,
  turn_round_s: 240,
};

export const READY_LENS: Lens = { widthPx: 640, heightPx: 512, fovDeg: 32, modality: "thermal", maxGsdM: 0.125 };

/** A draft in which nothing is said. */
export function emptyDraft(): Draft {
  return {
    name: "",
    border: "drawn",
    lines: [],
    shipped: { own: "", neighbour: "", near: "", lengthKm: 40 },
    bases: [],
    zones: [],
    models: [],
    camera: null,
    standOffM: null,
    bandOwnM: null,
    bandFarM: null,
    objective: "revisit",
    risks: [],
    shiftH: 8,
    start: "",
    windSpeed: 0,
    windFromDeg: 0,
    ground: "level",
    groundM: 0,
    dialect: "ardupilot",
    landingSites: false,
    options: {},
  };
}

/** A name for something drawn; also where the page is not in a secure context, which `randomUUID` asks for. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
}

/** A new base there, with aircraft as the base before has them. */
export function newBase(draft: Draft, at: Point, name = "", id = newId()): Base {
  const like = draft.bases.at(-1)?.aircraft ?? [{ model: READY_MODEL, count: 2 }];
  return {
    id,
    name: freeName(
      name === "" ? "base" : name,
      draft.bases.map((base) => base.name),
      name === "",
    ),
    at,
    aircraft: like.map((each) => ({ ...each })),
  };
}

/** A new line, its own side the left one. */
export function newLine(draft: Draft, points: Point[], name = "", id = newId()): Line {
  const taken = draft.lines.map((line) => line.name);
  return { id, name: freeName(name === "" ? "border" : name, taken, false), ownSide: "left", points };
}

/** A new no-fly zone from the ground up. */
export function newZone(draft: Draft, ring: Point[], name = "", id = newId()): Zone {
  const taken = draft.zones.map((zone) => zone.name);
  return {
    id,
    name: freeName(name === "" ? "zone" : name, taken, name === ""),
    kind: "no_fly",
    floorM: null,
    floorDatum: "AGL",
    ceilingM: null,
    ceilingDatum: "AGL",
    ring,
  };
}

/** A name that is not taken: with a number behind it where it has to be, or `always`. */
export function freeName(stem: string, taken: readonly string[], always: boolean): string {
  if (!always && !taken.includes(stem)) return stem;
  for (let number = always ? 1 : 2; ; number += 1) {
    const name = `${stem} ${number}`;
    if (!taken.includes(name)) return name;
  }
}
