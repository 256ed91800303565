/** Notes that were begun; kept in the browser until they are at the service, over reloads too. */

import { dataOf, service } from "../../api/client";
import { Problem } from "../../api/problem";

const PREFIX = "vedette.review.note.";

/** What was begun as a note on a crossing by a person. */
export function draftOf(person: string, id: string): string {
  return sessionStorage.getItem(`${PREFIX}${person}.${id}`) ?? "";
}

/** Keep what was begun; nothing, once it is sent. */
export function keepDraft(person: string, id: string, text: string): void {
  const name = `${PREFIX}${person}.${id}`;
  if (text === "") sessionStorage.removeItem(name);
  else sessionStorage.setItem(name, text);
}

/** Notes of which it is not known whether they arrived, by crossing. */
const doubtful = new Map<string, string>();

/**
 * Add a note to a crossing, once: where no answer came to the same note before, it is looked for at the service first.
 *
 * @param author name of who writes it
 * @throws {Problem} when the service refuses or cannot be reached
 */
export async function sendNote(author: string, id: string, text: string): Promise<void> {
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
