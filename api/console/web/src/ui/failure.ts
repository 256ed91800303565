/** What went wrong, told to the person at the page. */

import { signal } from "@preact/signals";
import { Problem } from "../api/problem";
import { t } from "../i18n";

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

/** What is said of a part of the page that has failed by a fault of its own. */
export function failureText(error: unknown): string {
  return t("app.failed", { detail: reasonsOf(error).join(" ") });
}

/** How Chromium, Firefox and Safari say that a file of code did not come, and Vite that a style sheet did not. */
const NOT_COME = /dynamically imported module|Importing a module script failed|Unable to preload/;

/** Whether code could not be had; what it has thrown itself, once it was there, is a fault of the page. */
export function hasNotCome(error: unknown): boolean {
  return error instanceof Error && NOT_COME.test(error.message);
}

/** Tell of faults that nobody has caught: what was pressed has done nothing, and whoever pressed it is to know. */
export function noticeFaults(): void {
  addEventListener("unhandledrejection", ({ reason }) => say(failureText(reason), "bad"));
  // Without an error it is a word of the browser's own, such as that what is laid out has changed meanwhile.
  addEventListener("error", ({ error }) => error != null && say(failureText(error), "bad"));
}
