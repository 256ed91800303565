import { computed, type ReadonlySignal } from "@preact/signals";
import type { Connection, Stream } from "./events";

/** How a view's line to the service stands. */
export interface Standing {
  connection: ReadonlySignal<Connection>;
  /** When anything came last; milliseconds since the Unix epoch, null where that is not known. */
  heard: ReadonlySignal<number | null>;
}

const WORST_FIRST = ["lost", "silent", "opening", "live", "none"] as const;

/** How several streams stand: as the worst of them, and of those the one that was heard longest ago. */
export function worstOf(streams: readonly Pick<Stream, keyof Standing>[]): Standing {
  const connection = computed<Connection>(() => {
    const all = streams.map((each) => each.connection.value);
    return WORST_FIRST.find((each) => all.includes(each)) ?? "none";
  });
  const heard = computed<number | null>(() => {
    const worst = streams.filter((each) => each.connection.value === connection.value);
    const times = worst.flatMap((each) => each.heard.value ?? []);
    return times.length === 0 ? null : Math.min(...times);
  });
  return { connection, heard };
}
