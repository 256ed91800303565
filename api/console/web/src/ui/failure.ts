/** What went wrong, told to the person at the page. */

import { signal } from "@preact/signals";
import { Problem } from "../api/problem";

export interface Notice {
  id: number;
  tone: "good" | "bad";
  text: string;
  reasons: readonly string[];
}

export const notices = signal<readonly Notice[]>([]);
let last = 0;

/** Say something; what is good goes by itself. */
export function say(text: string, tone: Notice["tone"] = "good", reasons: readonly string[] = []): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value.filter((one) => one.text !== text), { id, tone, text, reasons }];
  if (tone === "good") setTimeout(() => dismiss(id), 6000);
}

/** Take it away. */
export function dismiss(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

/** Do that, and say it if it fails; whether it went well. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

/** Say what an error says. */
export function report(error: unknown): void {
  const [text = "", ...reasons] = reasonsOf(error);
  say(text, "bad", reasons);
}

/** What an error says, or several at once, a sentence each. What is no refusal of the service is a fault of this page. */
export function reasonsOf(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return [...new Set(error.errors.flatMap(reasonsOf))];
  if (error instanceof Problem) return [error.message, ...error.reasons];
  return [error instanceof Error ? error.message : String(error)];
}
