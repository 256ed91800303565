/** A record as it is, beside what somebody else would see of it. */

import type { Feature } from "./preview";

export type Difference = "same" | "changed" | "withheld" | "added";

export interface Member {
  name: string;
  ours: string | null;
  theirs: string | null;
  difference: Difference;
}

/** Every member of either, what is shared first; `theirs` null is nothing at all. */
export function compared(ours: Feature, theirs: Feature | null): Member[] {
  const [mine, shown] = [membersOf(ours), theirs === null ? new Map<string, string>() : membersOf(theirs)];
  const names = [...new Set([...mine.keys(), ...shown.keys()])];
  return names
    .map((name) => {
      const [own, other] = [mine.get(name) ?? null, shown.get(name) ?? null];
      return { name, ours: own, theirs: other, difference: differenceOf(own, other) };
    })
    .toSorted((one, other) => Number(one.theirs === null) - Number(other.theirs === null));
}

function membersOf(feature: Feature): Map<string, string> {
  const members = new Map<string, string>();
  if (feature.geometry !== null) members.set("geometry", text(feature.geometry));
  for (const [name, value] of Object.entries(feature.properties)) members.set(name, text(value));
  return members;
}

function differenceOf(ours: string | null, theirs: string | null): Difference {
  if (theirs === null) return "withheld";
  if (ours === null) return "added";
  return ours === theirs ? "same" : "changed";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
