/** Records of the service as this view needs them: read once, member by member, from what came. */

import type { Feature, LineString, Point, Polygon, Position } from "geojson";
import { type Members, number, text } from "../../api/feature";
import { boxOf } from "../../map/box";

export type LinkState = "good" | "weak" | "lost";
export type Frame = "copter" | "plane" | "vtol" | "ground";

const LINKS: readonly LinkState[] = ["good", "weak", "lost"];
const FRAMES: readonly Frame[] = ["copter", "plane", "vtol", "ground"];
const OFF: ReadonlySet<unknown> = new Set(["dismissed", "merged"]);
const SENSOR_STATES = ["working", "silent", "failed", "removed"] as const;

export interface Vehicle {
  /** Of its record. */
  id: string;
  /** By which orders and states name it; empty where a partner is not told. */
  source: string;
  sourceId: string;
  name: string;
  /** Null where it is not told. */
  frame: Frame | null;
  /** In its own words; null where it is not told. */
  state: string | null;
  /** Longitude, latitude in degrees, WGS 84; null where it is not told. */
  at: Position | null;
  /** Metres above mean sea level. */
  altitude: number | null;
  /** Degrees from true north. */
  heading: number | null;
  course: number | null;
  /** Metres a second over the ground. */
  speed: number | null;
  /** Share of the whole. */
  battery: number | null;
  link: LinkState | null;
  mode: string | null;
  sortie: string | null;
  footprint: Polygon | null;
  /** What is heard of it now; null for one that only has a record. */
  live: { time: string; until: string; stale: boolean } | null;
}

export interface Cue {
  id: string;
  kind: string;
  sensor: string;
  time: string;
  at: Position;
  uncertainty: number;
}

export interface Crossing {
  id: string;
  kind: string;
  direction: string;
  status: string;
  /** Whether people have said that it was none, or the same as another. */
  isOff: boolean;
  time: string;
  at: Position;
}

export interface Sensor {
  id: string;
  name: string;
  kind: string;
  /** Null where it is not told. */
  state: (typeof SENSOR_STATES)[number] | null;
  at: Position;
}

export interface Segment {
  id: string;
  name: string;
  line: Position[];
  ownSide: "left" | "right";
  /** Metres. */
  standOff: number;
  /** West, south, east, north of the line; degrees. */
  box: readonly [number, number, number, number];
}

export interface Sortie {
  id: string;
  /** As the vehicle names it. */
  sourceId: string;
  vehicle: string;
  state: string;
  landing: string | null;
  way: Position[];
}

/** A vehicle, of a Feature of `/vehicles` or its stream. */
export function vehicleOf(told: unknown): Vehicle | null {
  const feature = featureOf(told);
  if (feature === null) return null;
  const { id, members } = feature;
  return {
    id,
    source: text(members.source) ?? "",
    sourceId: text(members.source_id) ?? "",
    name: text(members.name) ?? text(members.source_id) ?? id.slice(0, 8),
    frame: FRAMES.find((each) => each === members.frame) ?? null,
    state: text(members.state),
    at: pointOf(feature),
    altitude: number(members.altitude_amsl_m),
    heading: number(members.heading_deg),
    course: number(members.course_deg),
    speed: number(members.speed_m_s),
    battery: number(members.battery_left),
    link: LINKS.find((each) => each === members.link) ?? null,
    mode: text(members.mode),
    sortie: text(members.sortie),
    footprint: isObject(members.footprint) ? (members.footprint as unknown as Polygon) : null,
    live: liveOf(members.live),
  };
}

function liveOf(told: unknown): Vehicle["live"] {
  if (!isObject(told)) return null;
  return { time: text(told.time) ?? "", until: text(told.until) ?? "", stale: told.stale === true };
}

export function cueOf(told: unknown): Cue | null {
  const placed = placedOf(told);
  if (placed === null) return null;
  const { id, at, members } = placed;
  return {
    id,
    kind: text(members.kind) ?? "",
    sensor: text(members.sensor) ?? "",
    time: text(members.phenomenonTime) ?? "",
    at,
    uncertainty: number(members.uncertainty_m) ?? 0,
  };
}

export function crossingOf(told: unknown): Crossing | null {
  const placed = placedOf(told);
  if (placed === null) return null;
  const { id, at, members } = placed;
  return {
    id,
    kind: text(members.kind) ?? "",
    direction: text(members.direction) ?? "",
    status: text(members.status) ?? "",
    isOff: isObject(members.review) && OFF.has(members.review.state),
    time: text(members.time) ?? "",
    at,
  };
}

export function sensorOf(told: unknown): Sensor | null {
  const placed = placedOf(told);
  if (placed === null) return null;
  const { id, at, members } = placed;
  return {
    id,
    name: text(members.name) ?? id.slice(0, 8),
    kind: text(members.kind) ?? "",
    state: SENSOR_STATES.find((each) => each === members.state) ?? null,
    at,
  };
}

export function segmentOf(told: unknown): Segment | null {
  const feature = featureOf(told);
  const line = feature === null ? null : lineOf(feature);
  const box = boxOf(line ?? []);
  if (feature === null || line === null || box === null) return null;
  const { id, members } = feature;
  return {
    id,
    name: text(members.name) ?? "",
    line,
    ownSide: members.own_side === "right" ? "right" : "left",
    standOff: number(members.stand_off_m) ?? 0,
    box,
  };
}

export function sortieOf(told: unknown): Sortie | null {
  const feature = featureOf(told);
  const way = feature === null ? null : lineOf(feature);
  if (feature === null || way === null) return null;
  const { id, members } = feature;
  return {
    id,
    sourceId: text(members.source_id) ?? "",
    vehicle: text(members.vehicle) ?? "",
    state: text(members.state) ?? "",
    landing: text(members.landing),
    way,
  };
}

interface Read {
  id: string;
  geometry: Feature["geometry"] | null;
  members: Members;
}

function featureOf(told: unknown): Read | null {
  if (!isObject(told) || typeof told.id !== "string" || !isObject(told.properties)) return null;
  const geometry = isObject(told.geometry) ? (told.geometry as unknown as Feature["geometry"]) : null;
  return { id: told.id, geometry, members: told.properties };
}

/** What lies at a place; null for what is told without one. */
function placedOf(told: unknown): { id: string; at: Position; members: Members } | null {
  const feature = featureOf(told);
  const at = feature === null ? null : pointOf(feature);
  return feature === null || at === null ? null : { id: feature.id, at, members: feature.members };
}

function pointOf(feature: Read): Position | null {
  return feature.geometry?.type === "Point" ? (feature.geometry as Point).coordinates : null;
}

function lineOf(feature: Read): Position[] | null {
  return feature.geometry?.type === "LineString" ? (feature.geometry as LineString).coordinates : null;
}

export function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}
