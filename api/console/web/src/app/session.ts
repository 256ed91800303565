/** Who is at the page, and what they may do. */

import { computed, effect, signal } from "@preact/signals";
import { dataOf, endSession, leave, type Schemas, service, useSession, whenSession } from "../api/client";
import { Problem } from "../api/problem";
import { restWithin } from "../ui/attention";

/** What `GET /me` says. */
export type Me = NonNullable<Awaited<ReturnType<typeof askMe>>["data"]>;

/** What the page knows before anybody is logged in. */
export type Configuration = NonNullable<Awaited<ReturnType<typeof askConfiguration>>["data"]>;

const askMe = () => service.GET("/me");
const askConfiguration = () => service.GET("/console/configuration");

/** Undefined while it is asked for; null when nobody is logged in. */
export const me = signal<Me | null | undefined>(undefined);
export const configuration = signal<Configuration | null>(null);
/** True after a session that was open has ended by itself: what was begun is kept for whoever comes back. */
export const expired = signal(false);

/** Whose the views are: who is logged in, or was until the session ended by itself, so that nothing that was begun goes. */
export const person = signal<Me | null>(null);
effect(() => {
  if (me.value != null) person.value = me.value;
});

const permissions = computed(() => new Set(person.value?.permissions ?? []));

/** Whether the person may do that; the service decides anyway. */
export function may(permission: string): boolean {
  return permissions.value.has(permission);
}

/**
 * Pages of one browser have one session: what is done to it in one is told to the others, by the account that has it now,
 * or null.
 */
const pages = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("vedette.session");

/** Find out who is at the page. */
export async function begin(): Promise<void> {
  whenSession(() => {
    if (me.value != null) expired.value = true;
    me.value = null;
  }, beginAnew);
  pages?.addEventListener("message", ({ data }: MessageEvent<string | null>) => {
    if (data === null) endSession();
    else void look().catch(() => undefined);
  });
  const asked = askConfiguration();
  try {
    taken(dataOf(await askMe()));
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    me.value = null;
  } finally {
    configuration.value = dataOf(await asked);
  }
}

/**
 * Find out who is at the page now: another page may have let somebody else in, or the session have ended.
 *
 * @throws {Problem} when it has, and when the service cannot be reached
 */
export async function look(): Promise<void> {
  taken(dataOf(await askMe()));
}

/**
 * Log in with a password; `fresh` replaces a one-time secret, or a password that has to be changed.
 *
 * @throws {Problem} when the service refuses
 */
export async function logIn(login: string, password: string, fresh: string | null): Promise<void> {
  const body: Schemas["LoginIn"] = { login, password, ...(fresh === null ? {} : { new_password: fresh }) };
  await service.POST("/login", { body });
  const who = dataOf(await askMe());
  pages?.postMessage(who.account_id);
  taken(who);
}

/** The session goes on under another cookie, of which the other pages have to know the token too. */
export function renewed(token: string): void {
  if (last === null) return;
  useSession(token, last);
  pages?.postMessage(last);
}

/** End the session. The page begins anew: nothing that it has read outlives whoever might read it. */
export async function logOut(): Promise<void> {
  await leave(() => service.POST("/logout"));
  pages?.postMessage(null);
  beginAnew();
}

let last: string | null = null;

/** How long a page that begins anew may take to; whoever stopped it is sent off again after that. */
const ANEW_MS = 10_000;
let anew = Number.NEGATIVE_INFINITY;

/**
 * Begin anew, once: every answer that is somebody else's asks for it, and a browser that is asked again gives up the page
 * that is on its way and fetches it from the beginning.
 */
function beginAnew(): void {
  if (isBeginningAnew()) return;
  anew = performance.now();
  location.reload();
}

/** Whether the page is about to, which nobody is to be asked about. */
export function isBeginningAnew(): boolean {
  return performance.now() - anew < ANEW_MS;
}

/** Whose page it is. For somebody else it begins anew: what is kept under the login is of who was there before. */
function taken(who: Me): void {
  const account = who.account_id ?? "";
  if (last !== null && last !== account) {
    beginAnew();
    return;
  }
  last = account;
  useSession(who.csrf ?? "", account);
  if (who.idle_s != null) restWithin(who.idle_s * 1000);
  me.value = who;
  expired.value = false;
}
