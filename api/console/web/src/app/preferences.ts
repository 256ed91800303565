/** What a person likes to see and how; kept in the browser alone. */

import { effect, type Signal, signal } from "@preact/signals";
import type { PlaceFormat } from "../ui/coordinates";
import { browserStore } from "./store";

export type Theme = "light" | "dark" | "night";

export type Clock = "local" | "utc";

const PREFIX = "vedette.";

/** A choice that outlives the page; anything else that stands in the browser's store counts for nothing. */
function kept<T extends string>(name: string, choices: readonly T[], usual: T): Signal<T> {
  const before = browserStore.getItem(PREFIX + name);
  const choice = signal<T>(choices.find((each) => each === before) ?? usual);
  effect(() => browserStore.setItem(PREFIX + name, choice.value));
  return choice;
}

const THEMES = ["light", "dark", "night"] as const;
const FORMATS = ["latlon", "mgrs", "utm"] as const;
const CLOCKS = ["local", "utc"] as const;
const KEYS = ["on", "off"] as const;

const usualTheme: Theme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";

export const theme = kept<Theme>("theme", THEMES, usualTheme);
export const placeFormat = kept<PlaceFormat>("place", FORMATS, "latlon");
export const clock = kept<Clock>("clock", CLOCKS, "local");
/** Whether a letter or a sign alone does something: who dictates, or whose hand slips, wants none to (WCAG 2.1.4). */
export const letters = kept<"on" | "off">("keys", KEYS, "on");
/** Tag of a language that there is a file for, see `i18n`. */
export const language = signal(browserStore.getItem(`${PREFIX}language`) ?? "en");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
effect(() => {
  browserStore.setItem(`${PREFIX}language`, language.value);
  document.documentElement.lang = language.value;
});

export { CLOCKS, FORMATS, KEYS, THEMES };
