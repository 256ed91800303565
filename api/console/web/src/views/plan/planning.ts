/** The planning that is shown: asked for, watched until it ends, kept over reloads. */

import { computed, signal } from "@preact/signals";
import { dataOf, type Schemas, service } from "../../api/client";
import { Problem } from "../../api/problem";
import { whenBack } from "../../ui/attention";
import { keep, kept } from "./storage";

const lookUp = (id: string) => service.GET("/plannings/{planning_id}", { params: { path: { planning_id: id } } });

/** What the service tells of a planning. */
export type Planning = NonNullable<Awaited<ReturnType<typeof lookUp>>["data"]>;
/** What the planner found. */
export type Result = NonNullable<Planning["result"]>;

const NAME = "planning";
const LOOK_MS = 700;
const AGAIN_MS = 2500;

/** As the service told it last; null while there is none. */
export const planning = signal<Planning | null>(null);
/** The result that was shown before the last plan was asked for, to compare with. */
export const before = signal<Planning | null>(null);
/** What the service said when it refused what was asked for. */
export const refused = signal<readonly string[]>([]);
/** True while the service cannot be reached: the planning goes on without the page. */
export const away = signal(false);

export const atWork = computed(() => isOpen(planning.value));
let turn = 0;

/** Whether it waits or runs. */
export function isOpen(one: Planning | null): boolean {
  return one?.state === "queued" || one?.state === "running";
}

/**
 * Ask for a plan, and watch it.
 *
 * @throws {Problem} when the service cannot be reached; what it refuses is in {@link refused}
 */
export async function askFor(wish: Schemas["PlanningIn"]): Promise<void> {
  refused.value = [];
  let line: Schemas["PlanningLine"];
  try {
    line = dataOf(await service.POST("/plannings", { body: wish }));
  } catch (error) {
    if (!(error instanceof Problem && (error.status === 422 || error.status === 400))) throw error;
    refused.value = [error.message, ...error.reasons];
    return;
  }
  if (planning.value?.result != null) before.value = planning.value;
  planning.value = { ...line, request: wish as Planning["request"], result: null };
  open(line.id);
}

/** Show a planning, and watch it while it waits or runs. */
export function open(id: string): void {
  keep(NAME, id);
  turn += 1;
  watch(id, turn);
}

/** Show the planning that was shown before the page was loaded. */
export function reopen(): void {
  const id = kept(NAME);
  if (id !== null && planning.value === null) open(id);
}

/** Look at nothing any more; the planning goes on. */
export function stopWatching(): void {
  turn += 1;
}

/** Show no planning. */
export function close(): void {
  turn += 1;
  keep(NAME, null);
  planning.value = null;
  before.value = null;
}

/** Put a planning that gave nothing away: the plan that was there before it is shown again, where there was one. */
export function putAway(): void {
  const old = before.peek();
  close();
  if (old === null) return;
  planning.value = old;
  open(old.id);
}

/** Cancel the planning that is shown. */
export async function cancel(): Promise<void> {
  const one = planning.value;
  if (one !== null) await service.DELETE("/plannings/{planning_id}", { params: { path: { planning_id: one.id } } });
}

async function watch(id: string, mine: number): Promise<void> {
  while (mine === turn) {
    let wait = LOOK_MS;
    try {
      const found = dataOf(await lookUp(id));
      if (mine !== turn) return;
      away.value = false;
      planning.value = found;
      if (!isOpen(found)) return;
    } catch (error) {
      if (mine !== turn) return;
      if (error instanceof Problem && error.status === 404) return close();
      away.value = true;
      wait = AGAIN_MS;
    }
    await new Promise<void>((go) => setTimeout(() => whenBack(go), wait));
  }
}
