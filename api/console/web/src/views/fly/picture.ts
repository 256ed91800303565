/** The newest picture of a stream, asked for while somebody looks. */

import { ask, dataOf, service } from "../../api/client";
import { Problem } from "../../api/problem";
import type { Vehicle } from "./records";

type Streams = NonNullable<Awaited<ReturnType<typeof askStreams>>["data"]>;
export type Stream = Streams["streams"][number];

const askStreams = () => service.GET("/streams");

export interface Picture {
  /** A blob's address: whoever gets it revokes it. */
  url: string;
  etag: string;
  /** When it was exposed, RFC 3339; null where the video does not tell. */
  time: string | null;
}

/**
 * The stream that shows what a vehicle's camera sees; null where there is none.
 *
 * @throws {Problem} when the service refuses
 */
export async function streamOf(vehicle: Vehicle): Promise<Stream | null> {
  const { streams } = dataOf(await askStreams());
  const names = new Set([vehicle.sourceId, vehicle.name]);
  return streams.find((each) => each.of === vehicle.id) ?? streams.find((each) => names.has(each.source)) ?? null;
}

/**
 * What a stream shows now; null where that is the picture of `etag` still.
 *
 * @throws {Problem} when it shows nothing, or the service cannot be reached
 */
export async function newestOf(source: string, etag: string | null, signal: AbortSignal): Promise<Picture | null> {
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
