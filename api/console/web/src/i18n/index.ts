/**
 * Words of the page. English is here always; another language is a folder beside `en` with the same files, of which any
 * word that is missing is said in English.
 */

import { computed, signal } from "@preact/signals";
import { language } from "../app/preferences";
import account from "./en/account.json";
import app from "./en/app.json";
import fly from "./en/fly.json";
import plan from "./en/plan.json";
import review from "./en/review.json";
import share from "./en/share.json";

const english = { account, app, fly, plan, review, share };
type English = typeof english;
/** `file.word`; a plural has a word for each category of Intl.PluralRules that its language has: `_one`, `_other`. */
export type Word = { [File in keyof English]: `${File}.${Plain<keyof English[File] & string>}` }[keyof English];
type Plain<Key extends string> = Key extends `${infer Stem}_${"zero" | "one" | "two" | "few" | "many" | "other"}`
  ? Stem
  : Key;
type Files = Record<string, Record<string, string>>;

const loaders = import.meta.glob<{ default: Record<string, string> }>(["./*/*.json", "!./en/*.json"]);
const translated = signal<{ language: string; files: Files } | null>(null);

/** Languages that there are files for. */
export const LANGUAGES: readonly string[] = [
  "en",
  ...new Set(Object.keys(loaders).map((path) => path.split("/")[1] ?? "")),
].toSorted();

/** Load the words of the chosen language; until they are there, and where there are none, English stands. */
export async function loadLanguage(chosen: string): Promise<void> {
  const paths = Object.keys(loaders).filter((path) => path.startsWith(`./${chosen}/`));
  const files: Files = {};
  for (const path of paths) {
    const file = path.slice(path.lastIndexOf("/") + 1, -".json".length);
    files[file] = (await loaders[path]?.())?.default ?? {};
  }
  if (language.peek() === chosen) translated.value = { language: chosen, files };
}

// Made once for a language: to make one costs as much as a page of words.
const plurals = computed(() => new Intl.PluralRules(language.value));
const figures = computed(() => new Intl.NumberFormat(language.value));

/** A word of the page in the reader's language. `{name}` in it is replaced; `count` chooses the plural. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  const dot = word.indexOf(".");
  const [file, key] = [word.slice(0, dot), word.slice(dot + 1)];
  const other = translated.value;
  const mine = other !== null && other.language === language.value ? other.files[file] : undefined;
  const text = pick(mine, key, values.count) ?? pick((english as Files)[file], key, values.count) ?? word;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? formatted(values[name] ?? "") : whole));
}

function pick(
  words: Record<string, string> | undefined,
  key: string,
  count: string | number | undefined,
): string | undefined {
  if (words === undefined) return undefined;
  if (typeof count !== "number") return words[key];
  return words[`${key}_${plurals.value.select(count)}`] ?? words[`${key}_other`] ?? words[key];
}

function formatted(value: string | number): string {
  return typeof value === "number" ? figures.value.format(value) : value;
}
