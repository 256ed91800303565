/** The newest picture of a stream, asked for while somebody looks. Nothing is asked for while nobody can see it. */

import { ask, dataOf, service } from "../../api/client";
import { Problem } from "../../api/problem";
import { isAttended } from "../../ui/attention";
import type { Vehicle } from "./records";

type Streams = NonNullable<Awaited<ReturnType<typeof askStreams>>["data"]>;
export type Stream = Streams["streams"][number];

const askStreams = () => service.GET("/streams");

const EACH_MS = 1000;
/** A picture that has not come by then is given up: the next is newer. */
const ANSWER_MS = 5000;
/** As the service counts: what has not changed for so long is no live picture. */
const OLD_MS = 10_000;

export interface Picture {
  /** A blob's address: whoever gets it revokes it. */
  url: string;
  etag: string;
  /** When it was exposed, RFC 3339; null where the video does not tell. */
  time: string | null;
}

/** A stream says of which record it is; of one that does not, its name may be the vehicle's. */
function isOf({ of, source }: Stream, { id, sourceId, name }: Vehicle): boolean {
  return of === null ? source === sourceId || source === name : of === id;
}

/**
 * The streams that show what a vehicle's cameras see.
 *
 * @throws {Problem} when the service refuses
 */
export async function streamsOf(vehicle: Vehicle): Promise<Stream[]> {
  return dataOf(await askStreams()).streams.filter((each) => isOf(each, vehicle));
}

/**
 * The streams that are none of these vehicles': of cameras on masts, and of vehicles that nobody has told of.
 *
 * @throws {Problem} when the service refuses
 */
export async function otherStreams(vehicles: Iterable<Vehicle>): Promise<Stream[]> {
  const known = [...vehicles];
  return dataOf(await askStreams()).streams.filter((each) => !known.some((one) => isOf(each, one)));
}

/**
 * What a stream shows now; null where that is the picture of `etag` still.
 *
 * @throws {Problem} when it shows nothing, or the service cannot be reached
 */
async function newestOf(source: string, etag: string | null, signal: AbortSignal): Promise<Picture | null> {
  const headers: HeadersInit = etag === null ? {} : { "If-None-Match": etag };
  try {
    const answer = await ask(`/streams/${encodeURIComponent(source)}/picture`, { headers, signal, cache: "no-store" });
    const url = URL.createObjectURL(await answer.blob());
    return { url, etag: answer.headers.get("ETag") ?? "", time: answer.headers.get("X-Vedette-Time") };
  } catch (error) {
    if (error instanceof Problem && error.status === 304) return null;
    throw error;
  }
}

/**
 * Follow what a stream shows.
 *
 * @param show is called with each picture, and with whether the last is old, whoever answers or does not
 * @returns what ends it
 */
export function follow(source: string, show: (picture: Picture | null, old: boolean) => void): () => void {
  const over = new AbortController();
  let shown: Picture | null = null;
  let changed = performance.now();
  let asking = false;
  const tell = () => {
    if (!over.signal.aborted) show(shown, shown !== null && performance.now() - changed > OLD_MS);
  };
  const look = async () => {
    if (!isAttended() || asking) return;
    asking = true;
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(ANSWER_MS)]);
      const fresh = await newestOf(source, shown?.etag ?? null, signal);
      if (fresh === null) return;
      if (shown !== null) URL.revokeObjectURL(shown.url);
      shown = fresh;
      changed = performance.now();
      if (over.signal.aborted) URL.revokeObjectURL(fresh.url);
      tell();
    } catch {
      // What is shown grows old.
    } finally {
      asking = false;
    }
  };
  void look();
  const timer = setInterval(() => {
    tell();
    void look();
  }, EACH_MS);
  return () => {
    clearInterval(timer);
    over.abort();
    if (shown !== null) URL.revokeObjectURL(shown.url);
  };
}
