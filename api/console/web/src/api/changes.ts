/**
 * What happens to records, as whoever is at the page is told of it: by the event log or, where that is not theirs to
 * read, by the stream of records.
 */

import type { ReadonlySignal } from "@preact/signals";
import { may, me } from "../app/session";
import { type Connection, Stream, type Told } from "./events";
import { members } from "./feature";

export type Change =
  /** `feature` is null for a record that may not be seen (any more). */
  { of: "record"; type: string; id: string; feature: unknown; isNew: boolean } | { of: "order" | "launch"; id: string };

const IN_LOG = [
  ...["record.created", "record.replaced", "record.erased", "release.created", "release.recalled"],
  ...["evidence.stored", "evidence.redacted", "crossing.reviewed", "crossing.merged", "crossing.split"],
  ...["order.given", "order.changed", "launch.given", "launch.changed"],
];
const IN_RECORDS = ["record", "gone", "launch"];

export class Changes {
  readonly #stream: Stream;
  readonly #read: (told: Told) => Change | null;

  constructor() {
    const log = may("event.read");
    this.#stream = log ? new Stream("/events/stream", IN_LOG) : new Stream("/records/stream", IN_RECORDS);
    this.#read = log ? ofLog : ofRecords;
  }

  /** How its stream stands. */
  get connection(): ReadonlySignal<Connection> {
    return this.#stream.connection;
  }

  /** When anything came of it last; milliseconds since the Unix epoch. */
  get heard(): ReadonlySignal<number | null> {
    return this.#stream.heard;
  }

  /** Listen, see {@link Stream.listen}. */
  listen(listener: (change: Change) => void, back: () => void = () => undefined): () => void {
    return this.#stream.listen((told) => {
      const change = this.#read(told);
      if (change !== null) listener(change);
    }, back);
  }
}

function ofLog({ kind, data }: Told): Change | null {
  const { detail, record_type, record_id, feature } = members(data);
  if (kind.startsWith("order.")) return { of: "order", id: String(members(detail).order_id) };
  if (kind.startsWith("launch.")) return { of: "launch", id: String(members(detail).launch_id) };
  // What was released to a partner is new to them; those inside have seen it.
  const isNew = kind === "record.created" || (kind === "release.created" && me.peek()?.partner_id != null);
  return { of: "record", type: String(record_type), id: String(record_id), feature: feature ?? null, isNew };
}

function ofRecords({ kind, data }: Told): Change | null {
  const told = members(data);
  if (kind === "launch") return { of: "launch", id: String(told.id) };
  const feature = kind === "gone" ? null : told.feature;
  return {
    of: "record",
    type: String(told.record_type),
    id: String(told.record_id),
    feature,
    isNew: told.new === true,
  };
}
