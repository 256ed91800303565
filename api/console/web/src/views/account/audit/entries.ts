/** Entries of the audit, as they are looked for. */

import { computed, signal } from "@preact/signals";
import { dataOf, type Page, service } from "../../../api/client";

export type Entry = Awaited<ReturnType<typeof askPage>>["entries"][number];

/** What a readable entry says. */
export interface Said {
  time: string;
  actor: string;
  name: string;
  role: string | null;
  request: string;
  action: string;
  objects: readonly string[];
  detail: Readonly<Record<string, unknown>>;
}

/** What is asked for, as it is written; empty asks for all. */
export const sought = {
  actor: signal(""),
  action: signal(""),
  object: signal(""),
  /** RFC 3339. */
  from: signal(""),
  to: signal(""),
};

const query = computed(() => ({
  ...given("actor", sought.actor.value.trim()),
  ...given("action", sought.action.value.trim()),
  ...given("object", sought.object.value.trim()),
  ...given("from", sought.from.value),
  ...given("to", sought.to.value),
}));

/** What is asked for, to tell whether it has changed. */
export const question = computed(() => JSON.stringify(query.value));

/** The newest entries that are asked for, before a number; what follows is asked for by the number that is `next`. */
export async function askEntries(before?: string): Promise<Page<Entry[]>> {
  const found = await askPage(before);
  return { items: found.entries, next: found.next === null ? null : String(found.next) };
}

async function askPage(before?: string) {
  const place = before === undefined ? {} : { before: Number(before) };
  return dataOf(await service.GET("/audit/entries", { params: { query: { ...query.value, ...place } } }));
}

/** What an entry says; null for one that is no entry any more. */
export function saidBy(entry: Entry): Said | null {
  return entry.body === null ? null : (entry.body as unknown as Said);
}

/** Ask for all again. */
export function clearSought(): void {
  for (const each of Object.values(sought)) each.value = "";
}

function given<Name extends string>(name: Name, value: string): { [key in Name]?: string } {
  return value === "" ? {} : ({ [name]: value } as { [key in Name]: string });
}
