/** What went wrong, told to the person at the page. */

import { computed, signal } from "@preact/signals";
import { Problem } from "../api/problem";
import { t } from "../i18n";

export interface Notice {
  id: number;
  tone: "good" | "bad";
  text: string;
  reasons: readonly string[];
  /** The view that it is of, and stays in; null for what counts wherever somebody is. */
  view: string | null;
}

/** Which view is open; "" before any is. */
export const openView = signal("");
const all = signal<readonly Notice[]>([]);
/** What is shown: a word on what is done in one view is in nobody's way in another, and there again in that one. */
export const notices = computed(() => all.value.filter(({ view }) => view === null || view === openView.value));
let last = 0;

/** Say something, of a view alone where one is named; what is good goes by itself. */
export function say(
  text: string,
  tone: Notice["tone"] = "good",
  reasons: readonly string[] = [],
  view: string | null = null,
): void {
  last += 1;
  const id = last;
  all.value = [...all.value.filter((one) => one.text !== text), { id, tone, text, reasons, view }];
  if (tone === "good") setTimeout(() => dismiss(id), 6000);
}

/** Take it away. */
export function dismiss(id: number): void {
  all.value = all.value.filter((one) => one.id !== id);
}

/** Do that, and say it if it fails, as `say` does; whether it went well. */
export async function attempt(work: () => Promise<unknown>, view: string | null = null): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    report(error, view);
    return false;
  }
}

/** Say what an error says, as `say` does. */
export function report(error: unknown, view: string | null = null): void {
  const [text = "", ...reasons] = reasonsOf(error);
  say(text, "bad", reasons, view);
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
