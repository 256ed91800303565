import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const here = new URL("./", import.meta.url);
const folders = readdirSync(here, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const PLURAL = /_(zero|one|two|few|many|other)$/;

function words(language: string): Map<string, string> {
  const files = readdirSync(new URL(`${language}/`, here));
  return new Map(
    files.flatMap((file) => {
      const read = JSON.parse(readFileSync(new URL(`${language}/${file}`, here), "utf8")) as Record<string, string>;
      return Object.entries(read).map(([key, text]): [string, string] => [`${file.replace(".json", "")}.${key}`, text]);
    }),
  );
}

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).sort();
const stem = (key: string): string => key.replace(PLURAL, "");

const english = words("en");
const stems = new Map([...english].map(([key, text]) => [stem(key), placeholders(text)]));

test("English says something for each word", () => {
  for (const [key, text] of english) expect(text.trim(), key).not.toBe("");
});

test.each(folders.filter((folder) => folder !== "en"))(
  "%s has no word that English has not, and fills in the same",
  (language) => {
    const known = new Set(new Intl.PluralRules(language).resolvedOptions().pluralCategories);
    const own = words(language);
    expect(own.size).toBeGreaterThan(0);
    for (const [key, text] of own) {
      expect(stems.has(stem(key)), key).toBe(true);
      // A language may leave the number out where one word says it, "an hour".
      const wanted = stems.get(stem(key)) ?? [];
      if (PLURAL.test(key)) expect(wanted, key).toEqual(expect.arrayContaining(placeholders(text)));
      else expect(placeholders(text), key).toEqual(wanted);
      const category = PLURAL.exec(key)?.[1];
      if (category !== undefined) expect(known.has(category as Intl.LDMLPluralRule), key).toBe(true);
    }
  },
);

/** Languages of which no word may be missing: they show that files alone make the page another language's. */
test.each(["el"])("%s has every word that English has, in each of its own plurals", (language) => {
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const own = words(language);
  const plural = new Set([...english.keys()].filter((key) => PLURAL.test(key)).map(stem));
  const wanted = [...stems.keys()].flatMap((key) =>
    plural.has(key) ? categories.map((category) => `${key}_${category}`) : [key],
  );
  expect([...own.keys()].toSorted()).toEqual(wanted.toSorted());
});
