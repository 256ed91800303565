/** The service, typed by its own OpenAPI document. */

import { signal } from "@preact/signals";
import createClient from "openapi-fetch";
import { hear } from "../app/skew";
import { OUT_OF_REACH, Problem, refusalOf, strangerOf } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const SAFE = new Set(["GET", "HEAD"]);
const NOT_MODIFIED = 304;
const SOMEBODY_ELSE = "somebody else has logged in: this page begins anew";

let csrf = "";
let account = "";
let ended: () => void = () => undefined;
let replaced: () => void = () => undefined;
/** What is being read, to be called off when somebody leaves. */
const reading = new Set<AbortController>();
/** While somebody logs out: settles when they stay. */
let leaving: Promise<void> | null = null;

/** Whether there is a session, as far as the service has said. */
export const admitted = signal(false);

/**
 * There is a session.
 *
 * @param token that requests carry which change something
 * @param whose the account: an answer that is another's is not let into this page
 */
export function useSession(token: string, whose: string): void {
  csrf = token;
  account = whose;
  admitted.value = true;
}

/** The session is over. */
export function endSession(): void {
  admitted.value = false;
  ended();
}

/**
 * What to do when there is another session or none.
 *
 * @param over the session has ended
 * @param other another page of this browser has let somebody else in
 */
export function whenSession(over: () => void, other: () => void): void {
  ended = over;
  replaced = other;
}

/**
 * Log out by `way`. What is being read is let go of first: the service would refuse it, and there is nobody to be told.
 * If the way fails it is read after all; if not, it is never answered.
 */
export async function leave(way: () => Promise<unknown>): Promise<void> {
  let stay: () => void = () => undefined;
  leaving = new Promise((resolve) => {
    stay = resolve;
  });
  for (const each of reading) each.abort();
  try {
    await way();
  } catch (error) {
    leaving = null;
    stay();
    throw error;
  }
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
  if (response.ok) return readable(response);
  const refusal =
    response.status === NOT_MODIFIED ? new Problem(NOT_MODIFIED, "not modified") : await refusalOf(response);
  if (refusal.status === 401 && !request.url.endsWith("/login")) endSession();
  throw refusal;
}

/** An answer whose JSON is none is not the service's, such as the page of a network that wants a login first. */
function readable(response: Response): Response {
  const json = response.json.bind(response);
  response.json = () =>
    json().catch((error: unknown) => {
      throw error instanceof SyntaxError ? strangerOf() : error;
    });
  return response;
}

async function reach(request: Request): Promise<Response> {
  const askedMs = Date.now();
  const response = SAFE.has(request.method) ? await read(request) : await sent(request, request.signal);
  hear(response.headers.get("Date"), askedMs, Date.now());
  const whose = response.headers.get("X-Vedette-Account");
  if (admitted.peek() && whose !== null && whose !== account) {
    replaced();
    throw new Problem(401, SOMEBODY_ELSE);
  }
  return response;
}

/** What changes nothing may be called off and asked for again. */
async function read(request: Request): Promise<Response> {
  for (;;) {
    if (leaving !== null) await leaving;
    const off = new AbortController();
    reading.add(off);
    try {
      const signal = AbortSignal.any([request.signal, off.signal]);
      return await sent(new Request(request, { signal }), request.signal);
    } catch (error) {
      if (!off.signal.aborted) throw error;
    } finally {
      reading.delete(off);
    }
  }
}

/** @param asked by which whoever asks calls it off */
async function sent(request: Request, asked: AbortSignal): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    throw failed(error, asked);
  }
}

/** What it is that no answer came: the service is out of reach, unless whoever asked has called it off. */
function failed(error: unknown, asked: AbortSignal): unknown {
  return asked.aborted && !isLate(asked) ? error : new Problem(0, OUT_OF_REACH);
}

/** Whether it is a request's time that is over, as `AbortSignal.timeout` has it: then nobody called it off. */
function isLate({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/**
 * Every route, method and answer of the service. Calls resolve to `{ data, response }` or throw a {@link Problem}:
 * nothing that was refused goes on unseen.
 */
export const service = createClient<paths>({ baseUrl: location.origin, fetch: whole });

/** An answer that has come as a whole: where the line breaks in the middle of it, none has. */
async function whole(request: Request): Promise<Response> {
  const response = await ask(request);
  try {
    const body = await response.blob();
    const headers = new Headers(response.headers);
    headers.set("Content-Length", String(body.size)); // without, openapi-fetch takes it for a text that may be none
    const { status, statusText } = response;
    // An answer of no content may have no body at all.
    return readable(new Response(body.size === 0 ? null : body, { status, statusText, headers }));
  } catch (error) {
    throw failed(error, request.signal);
  }
}

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
