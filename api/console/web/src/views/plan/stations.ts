/** Ground stations as they stand: read once, then told of as they change. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Stream, type Told } from "../../api/events";
import { members, text } from "../../api/feature";
import { useAgain, useAsked } from "../../ui/asked";
import { readStations, type Station } from "./launches";

/** How long after a reading that failed it is tried again. */
const AGAIN_MS = 2000;

const stream = new Stream("/stations/stream", ["station", "gone"]);

/** By name, what was told last. */
type Known = ReadonlyMap<string, Station | null>;

export interface Stations {
  /** By name; undefined until they have been read. */
  all: readonly Station[] | undefined;
  /** What is known may be old: the service is out of reach, or silent. */
  away: boolean;
}

/** Follow them, as long as the component is there. */
export function useStations(): Stations {
  const told = useSignal<Known>(new Map());
  const asked = useAsked(readStations, []);
  useAgain(asked, asked.failure === null ? null : AGAIN_MS);
  useEffect(
    () =>
      stream.listen((each) => {
        told.value = withTold(told.peek(), each);
      }, asked.again),
    [asked.again],
  );
  const standing = stream.connection.value;
  return {
    all: asked.value === undefined ? undefined : together(asked.value, told.value),
    away: asked.failure !== null || standing === "lost" || standing === "silent",
  };
}

/** What was told, with one thing more; null for a station that is not known any more. */
export function withTold(before: Known, { kind, data }: Told): Known {
  const name = text(members(data)[kind === "gone" ? "id" : "source"]);
  if (name === null) return before;
  return new Map(before).set(name, kind === "gone" ? null : (data as Station));
}

/** What was read, and what was told over it where that is newer. */
export function together(read: readonly Station[], told: Known): readonly Station[] {
  const all = new Map<string, Station | null>(read.map((one) => [one.source, one]));
  for (const [name, one] of told) {
    const known = all.get(name);
    if (one === null || known == null || isNewer(one, known)) all.set(name, one);
  }
  return [...all.values()].filter((one) => one !== null).sort((a, b) => a.source.localeCompare(b.source));
}

/** Of what a station has told once, two answers differ in that it is not heard any more: then it was heard before. */
function isNewer(one: Station, known: Station): boolean {
  return one.told_at > known.told_at || (one.told_at === known.told_at && !one.live);
}
