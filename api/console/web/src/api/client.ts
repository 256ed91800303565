/** The service, typed by its own OpenAPI document. */

import { signal } from "@preact/signals";
import createClient from "openapi-fetch";
import { hear } from "../app/skew";
import { Problem, problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const SAFE = new Set(["GET", "HEAD"]);
const OUT_OF_REACH = "the service cannot be reached";

let csrf = "";
let ended: () => void = () => undefined;

/** Whether there is a session, as far as the service has said. */
export const admitted = signal(false);

/** The token that requests carry which change something; it comes with the session. */
export function useToken(token: string): void {
  csrf = token;
  admitted.value = true;
}

/** What to do when the service says that the session is over. */
export function whenEnded(act: () => void): void {
  ended = act;
}

/**
 * Ask the service, for what openapi-fetch does not do (bytes, texts).
 *
 * @throws {Problem} when it refuses or cannot be reached
 */
export async function ask(input: Request | string, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  if (!SAFE.has(request.method) && csrf !== "") request.headers.set("X-Vedette-Csrf", csrf);
  const response = await reach(request);
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  return response;
}

async function reach(request: Request): Promise<Response> {
  let response: Response;
  const askedMs = Date.now();
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted && !isLate(request.signal)) throw error;
    throw new Problem(0, OUT_OF_REACH);
  }
  hear(response.headers.get("Date"), askedMs, Date.now());
  if (response.status === 401 && !request.url.endsWith("/login")) {
    admitted.value = false;
    ended();
  }
  return response;
}

/** Whether it is a request's time that is over, as `AbortSignal.timeout` has it: then nobody called it off. */
function isLate({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/**
 * Every route, method and answer of the service. Calls resolve to `{ data, response }` or throw a {@link Problem}:
 * nothing that was refused goes on unseen.
 */
export const service = createClient<paths>({ baseUrl: location.origin, fetch: (request) => ask(request) });

/** A page of a list, and where the list goes on. */
export interface Page<T> {
  items: T;
  /** Path of the next page, as the header Link names it. */
  next: string | null;
}

/** The page in an answer of {@link service}. */
export function pageOf<T>(answer: { data?: T; response: Response }): Page<T> {
  return { items: dataOf(answer), next: nextOf(answer.response) };
}

/** The body of an answer that has one. */
export function dataOf<T>(answer: { data?: T; response: Response }): T {
  if (answer.data === undefined) throw new Problem(answer.response.status, "the service sent an empty answer");
  return answer.data;
}

/** The page that `path` of another page names. */
export async function follow<T>(path: string): Promise<Page<T>> {
  const response = await ask(path);
  return { items: (await response.json()) as T, next: nextOf(response) };
}

/** All pages of a list that a person has to choose from, from its first on. */
export async function allOf<T>(first: Promise<Page<T[]>>): Promise<T[]> {
  let page = await first;
  const items = [...page.items];
  while (page.next !== null) {
    page = await follow<T[]>(page.next);
    items.push(...page.items);
  }
  return items;
}

function nextOf(response: Response): string | null {
  const link = response.headers.get("Link") ?? "";
  const found = /<([^>]+)>;\s*rel="?next"?/.exec(link)?.[1];
  if (found === undefined) return null;
  const url = new URL(found, location.origin);
  return url.pathname + url.search;
}
