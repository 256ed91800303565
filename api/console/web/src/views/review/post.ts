/** Verdicts to the service and from it. One that has not answered in time has not: it is asked again. */

import { dataOf, service } from "../../api/client";
import { late } from "../../api/once";
import { crossingOf } from "./crossing";
import type { Kept, Waiting } from "./outbox";

/**
 * Give a verdict.
 *
 * @throws {Problem} when the service refuses or cannot be reached
 */
export async function send(waiting: Waiting): Promise<{ state: string; etag: string }> {
  const { verdict, reason, category } = waiting;
  return dataOf(
    await service.POST("/crossings/{record_id}/reviews", {
      params: { path: { record_id: waiting.record_id }, header: { "if-match": waiting.etag } },
      body: { verdict, reason, category },
      signal: late(),
      keepalive: true, // it goes on where the page is left meanwhile
    }),
  );
}

/**
 * Every verdict on a crossing, oldest first, and its state.
 *
 * @throws {Problem} when the service refuses or cannot be reached
 */
export async function readVerdicts(
  id: string,
): Promise<{ reviews: readonly Kept[]; state: string; etag: string | null }> {
  const path = { record_id: id };
  const reviews = dataOf(await service.GET("/crossings/{record_id}/reviews", { params: { path }, signal: late() }));
  const { response, data } = await service.GET("/crossings/{record_id}", { params: { path }, signal: late() });
  const state = data === undefined ? null : crossingOf(data).state;
  return { reviews, state: state ?? "pending", etag: response.headers.get("ETag") };
}
