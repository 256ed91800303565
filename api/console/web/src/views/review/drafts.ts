/** Notes that were begun; kept in the browser until they are at the service, over reloads too. */

import { signal } from "@preact/signals";
import { dataOf, service } from "../../api/client";
import { Problem } from "../../api/problem";
import { tabStore } from "../../app/store";

const PREFIX = "vedette.review.note.";

/** What was begun, by its name in the store, as the page shows it. */
const drafts = signal<ReadonlyMap<string, string>>(new Map());
/** Names of those that are on their way: they change no more until that has ended. */
const going = signal<ReadonlySet<string>>(new Set());

/** What was begun as a note on a crossing by a person. */
export function draftOf(person: string, id: string): string {
  const name = nameOf(person, id);
  return drafts.value.get(name) ?? tabStore.getItem(name) ?? "";
}

/** Keep what was begun; nothing, once it is sent. */
export function keepDraft(person: string, id: string, text: string): void {
  const name = nameOf(person, id);
  drafts.value = new Map(drafts.peek()).set(name, text);
  if (text === "") tabStore.removeItem(name);
  else tabStore.setItem(name, text);
}

/** Whether what was begun is on its way. */
export function isGoing(person: string, id: string): boolean {
  return going.value.has(nameOf(person, id));
}

function nameOf(person: string, id: string): string {
  return `${PREFIX}${person}.${id}`;
}

/** Notes of which it is not known whether they arrived, by crossing. */
const doubtful = new Map<string, string>();

/**
 * Add what was begun to a crossing, and begin anew, wherever its writer is in the page by then.
 *
 * @param author name of who writes it
 * @returns whether there was something to add, and it is there now; not where it is on its way already
 * @throws {Problem} when the service refuses or cannot be reached: what was begun is kept
 */
export async function sendDraft(person: string, author: string, id: string): Promise<boolean> {
  const name = nameOf(person, id);
  const text = draftOf(person, id).trim();
  if (text === "" || going.peek().has(name)) return false;
  going.value = new Set(going.peek()).add(name);
  try {
    await sendNote(author, id, text);
    keepDraft(person, id, "");
    return true;
  } finally {
    going.value = new Set([...going.peek()].filter((each) => each !== name));
  }
}

/** Add a note, once: where no answer came to the same note before, it is looked for at the service first. */
async function sendNote(author: string, id: string, text: string): Promise<void> {
  const path = { record_id: id };
  if (doubtful.get(id) === text) {
    const asked = service.GET("/crossings/{record_id}/annotations", { params: { path, query: { limit: 100 } } });
    const there = dataOf(await asked).some((note) => note.text === text && note.author === author);
    doubtful.delete(id);
    if (there) return;
  }
  try {
    await service.POST("/crossings/{record_id}/annotations", { params: { path }, body: { text } });
  } catch (error) {
    if (error instanceof Problem && error.passing) doubtful.set(id, text);
    throw error;
  }
}
