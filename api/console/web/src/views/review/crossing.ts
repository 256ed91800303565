/** A crossing as this view needs it: read once, member by member, from a Feature of the service. */

import type { Schemas } from "../../api/client";
import { list, type Members, members, number, text } from "../../api/feature";

export type Feature = Schemas["Feature"];
export type ReviewState = "pending" | "confirmed" | "dismissed" | "merged";

/** A point of the ground track. */
export interface TrackPoint {
  /** Milliseconds since the Unix epoch, UTC. */
  at: number;
  /** Degrees, WGS 84. */
  lat: number;
  lon: number;
  /** One standard deviation, metres. */
  sigma: number;
}

/** 95 % error ellipse; metres, the major axis in degrees clockwise from north. */
export interface Ellipse {
  major: number;
  minor: number;
  orientation: number;
}

/** A verdict that waits for that of a second person. */
export interface FirstVerdict {
  verdict: string;
  reviewer: string;
}

export interface Crossing {
  id: string;
  /** What a verdict names in If-Match; null for a partner, who gives none. */
  etag: string | null;
  revision: number | null;
  /** RFC 3339. */
  time: string;
  kind: string | null;
  direction: string | null;
  /** How the detector has it: "confirmed" by its error ellipse, or "probable". */
  status: string | null;
  /** 0 to 1. */
  confidence: number | null;
  border: string | null;
  source: string | null;
  marking: string | null;
  expires: string | null;
  /** Degrees, WGS 84; null where it has no place, or none that may be seen. */
  place: { lat: number; lon: number } | null;
  ellipse: Ellipse | null;
  track: readonly TrackPoint[];
  /** Addresses of the pieces of its evidence, by part. */
  parts: ReadonlyMap<string, string>;
  state: ReviewState | null;
  /** Who gave the verdict that counts, and why. */
  reviewer: string | null;
  reason: string | null;
  category: string | null;
  first: FirstVerdict | null;
  disputed: boolean;
  mergedInto: string | null;
  /** Ids of those that it stands for. */
  standsFor: readonly string[];
}

const STATES: readonly ReviewState[] = ["pending", "confirmed", "dismissed", "merged"];

/** The crossing in a Feature. What is withheld, or is not what it should be, is not known. */
export function crossingOf(feature: Feature): Crossing {
  const said: Members = feature.properties;
  const review = members(said.review);
  const first = members(review.first);
  const ellipse = members(said.ellipse);
  const [major, minor] = [number(ellipse.semi_major_m), number(ellipse.semi_minor_m)];
  const verdict = text(first.verdict);
  return {
    id: feature.id,
    etag: text(said.etag),
    revision: number(said.revision),
    time: text(said.time) ?? "",
    kind: text(said.kind),
    direction: text(said.direction),
    status: text(said.status),
    confidence: number(said.confidence),
    border: text(said.border),
    source: text(said.source),
    marking: text(said.marking),
    expires: text(said.expires),
    place: placeOf(feature.geometry),
    ellipse:
      major === null || minor === null ? null : { major, minor, orientation: number(ellipse.orientation_deg) ?? 0 },
    track: list(said.track).flatMap(pointOf),
    parts: partsOf(feature.id, said),
    state: STATES.find((each) => each === review.state) ?? null,
    reviewer: text(review.reviewer),
    reason: text(review.reason),
    category: text(review.category),
    first: verdict === null ? null : { verdict, reviewer: text(first.reviewer) ?? "" },
    disputed: review.disputed === true,
    mergedInto: text(said.merged_into),
    standsFor: list(said.also_seen).flatMap((each) => text(members(each).id) ?? []),
  };
}

function pointOf(told: unknown): TrackPoint[] {
  const point = members(told);
  const [lat, lon, at] = [number(point.lat), number(point.lon), Date.parse(text(point.time) ?? "")];
  if (lat === null || lon === null || Number.isNaN(at)) return [];
  return [{ at, lat, lon, sigma: number(point.sigma_m) ?? 0 }];
}

/** Inside, what is stored is told; a partner is told the names, and asks. */
function partsOf(id: string, said: Members): ReadonlyMap<string, string> {
  if (said.stored !== undefined) {
    const stored = Object.entries(members(said.stored));
    return new Map(
      stored.flatMap(([part, piece]) => {
        const href = text(members(piece).href);
        return href === null ? [] : [[part, href] as const];
      }),
    );
  }
  const names = members(said.evidence);
  const single = ["clip", "manifest", "thumbnail"].filter((part) => text(names[part]) !== null);
  const others = list(names.others).flatMap((name) => text(name) ?? []);
  return new Map([...single, ...others].map((part) => [part, `/crossings/${id}/evidence/${encodeURIComponent(part)}`]));
}

function placeOf(geometry: unknown): Crossing["place"] {
  const [lon, lat] = list(members(geometry).coordinates).map(number);
  return lon == null || lat == null ? null : { lat, lon };
}

/** The part that shows the moment: the thumbnail, or the picture that `vedette watch` keeps. */
export function pictureOf(crossing: Crossing): string | null {
  const found = [...crossing.parts].find(([part]) => /\.(png|jpe?g|webp)$/i.test(part));
  return crossing.parts.get("thumbnail") ?? found?.[1] ?? null;
}
