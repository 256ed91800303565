/** Launches: a pilot's order that a ground station flies a plan. Given once, and followed until it is known what came of it. */

import { signal } from "@preact/signals";
import { Changes } from "../../api/changes";
import { admitted, dataOf, type Schemas, service } from "../../api/client";
import { late, Once } from "../../api/once";
import { Problem } from "../../api/problem";
import { t } from "../../i18n";
import { away, onceBack } from "../../ui/attention";
import { reasonsOf, say } from "../../ui/failure";
import { isOnItsWay, waits } from "./states";

export type Launch = Schemas["Launch"];
export type Station = Schemas["Station"];
export type Check = Awaited<ReturnType<typeof readChecklist>>[number];

/** What is to be flown, by which station, after which checks. */
export type Wish = Omit<Schemas["LaunchIn"], "client_id" | "confirmed" | "expires_s">;

/** Why a wish was not given; `open` where nobody knows whether it was. */
export interface Failure {
  wish: Wish;
  reasons: readonly string[];
  open: boolean;
}

/** How long a launch counts that no station takes; a station that stands by asks every two seconds. */
export const COUNTS_S = 60;
/** How often it is asked how a launch stands that a pilot waits for: while it is told, and while it is not. */
const SELDOM_MS = 10_000;
const LOOK_MS = 2000;
/** After the service's own end of a launch, of which nobody is told. */
const GRACE_MS = 500;
const MOST = 100;

/** As the service told of them last, by id. */
export const launches = signal<ReadonlyMap<string, Launch>>(new Map());
const once = new Once();
/** Those that a pilot waits for, each with what ends that. */
const followed = new Map<string, () => void>();
let changes: Changes | null = null;

/** Those of a plan, the newest first. */
export function launchesOf(planningId: string): readonly Launch[] {
  return [...launches.value.values()]
    .filter((one) => one.planning_id === planningId)
    .sort((a, b) => b.given_at.localeCompare(a.given_at));
}

/** Whether they want the same. */
export function isSame(one: Wish, other: Wish): boolean {
  return saying(one) === saying(other);
}

/** Whether that wish was sent, had no answer, and is not heard to have ended: sent again, it is the same launch. */
export function isUnanswered(wish: Wish): boolean {
  return once.isOpen(saying(wish));
}

/** Whether a wish without an answer has been given all the same, as the service has told, whatever came of it since. */
export function hasArrived(wish: Wish): boolean {
  const name = once.sentAs(saying(wish));
  return [...launches.value.values()].some(({ client_id }) => client_id === name);
}

/**
 * Give it. The same wish given again, after no answer came, is one launch.
 *
 * @throws {Problem} when the service refuses or cannot be reached, or it is a launch that has ended: nothing is given
 */
export async function give(wish: Wish): Promise<void> {
  const name = once.nameOf(saying(wish));
  const body: Schemas["LaunchIn"] = { ...wish, client_id: name, confirmed: true, expires_s: COUNTS_S };
  const answer = once.send(saying(wish), name, COUNTS_S, (signal) => service.POST("/launches", { body, signal }));
  const launch = dataOf(await answer);
  put(launch);
  if (!isOnItsWay(launch))
    throw new Problem(409, t("plan.ended_before", { state: t(`plan.state_of_${launch.state}`) }));
}

/** What an error that `give` has thrown means for that wish. */
export function failureOf(wish: Wish, error: unknown): Failure {
  return { wish, reasons: reasonsOf(error), open: isUnanswered(wish) };
}

/**
 * Take back what no ground station has taken.
 *
 * @throws {Problem} when it is too late, or the service cannot be reached
 */
export async function withdraw({ id }: Launch): Promise<void> {
  put(dataOf(await service.DELETE("/launches/{launch_id}", { params: { path: { launch_id: id } } })));
}

/** Read the newest of all plans. */
export async function readNewest(): Promise<readonly Launch[]> {
  const found = dataOf(await service.GET("/launches", { params: { query: { limit: MOST } }, signal: late() }));
  for (const each of found) put(each);
  return found;
}

/** The ground stations that have told of themselves. */
export async function readStations(): Promise<Station[]> {
  return dataOf(await service.GET("/stations", { signal: late() }));
}

/** What has to be looked at before a launch, as the service's settings have it. */
export async function readChecklist() {
  return dataOf(await service.GET("/launches/checklist", { signal: late() })).items;
}

/** Answers overtake one another: what is older than what is known changes nothing. */
function put(launch: Launch): void {
  if (!isOnItsWay(launch)) once.heard(launch.client_id);
  const known = launches.peek().get(launch.id);
  if (known !== undefined && isOlder(launch, known)) return;
  launches.value = new Map(launches.peek()).set(launch.id, launch);
  const end = followed.get(launch.id);
  if (waits(launch)) {
    if (end === undefined) followed.set(launch.id, follow(launch.id));
  } else if (end !== undefined) {
    followed.delete(launch.id);
    end();
    tell(launch);
  }
}

/** By when each was changed; that a launch has expired changes its state alone. */
function isOlder(launch: Launch, known: Launch): boolean {
  return launch.changed_at < known.changed_at || (launch.changed_at === known.changed_at && !waits(known));
}

/**
 * Be told of launches, whoever gives them.
 *
 * @param back see {@link Changes.listen}
 * @returns what ends it
 */
export function hear(back: () => void = () => undefined): () => void {
  changes ??= new Changes();
  return changes.listen((change) => {
    if (change.of === "launch") readBack(change.id);
  }, back);
}

async function read(id: string): Promise<void> {
  put(dataOf(await service.GET("/launches/{launch_id}", { params: { path: { launch_id: id } }, signal: late() })));
}

/** What is told while nobody is there is no reason to use their session. */
const readBack = onceBack((id) => void read(id).catch(() => undefined)); // asked again, where somebody waits for it

/** Look on, whatever part of the page is shown; what comes back ends it. */
function follow(id: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async () => {
    if (admitted.peek() && !away.peek()) await read(id).catch(() => undefined); // it goes on meanwhile
    if (followed.has(id)) next();
  };
  const next = () => {
    const left = launches.peek().get(id)?.left_s || SELDOM_MS / 1000;
    const told = changes?.connection.peek() === "live";
    clearTimeout(timer);
    timer = setTimeout(look, told ? Math.min(SELDOM_MS, left * 1000 + GRACE_MS) : LOOK_MS);
  };
  const deaf = hear(() => void look());
  next();
  return () => {
    clearTimeout(timer);
    deaf();
  };
}

function tell({ state, words, plan_name, station }: Launch): void {
  const text = t(`plan.told_${state}`, { name: plan_name, station });
  say(
    text,
    state === "accepted" || state === "done" || state === "withdrawn" ? "good" : "bad",
    words === null ? [] : [words],
  );
}

function saying(wish: Wish): string {
  return JSON.stringify(wish);
}
