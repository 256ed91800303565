import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

/** The colours of each theme by name; `dark` stands in the root too. */
const themes = new Map(
  [...css.matchAll(/\[data-theme="(\w+)"\] \{([^}]*)\}/g)].map(([, name = "", body = ""]) => [
    name,
    new Map([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, token = "", value = ""]) => [token, value])),
  ]),
);

function channels(colour: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
}

/** WCAG 2.2: relative luminance, and contrast of two colours. */
function luminance(colour: string): number {
  const [red, green, blue] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

test("there are three themes, of the same colours", () => {
  expect([...themes.keys()].sort()).toEqual(["dark", "light", "night"]);
  const names = [...(themes.get("dark")?.keys() ?? [])];
  for (const theme of themes.values()) expect([...theme.keys()]).toEqual(names);
});

describe.each([...themes])("%s", (_name, theme) => {
  const of = (token: string): string => theme.get(token) ?? "";
  const grounds = ["paper", "raised", "sunken"];

  test.each(["ink", "soft", "act", "good", "warn", "bad", "own", "crossing"])(
    "text in %s is read: 4.5 to 1",
    (token) => {
      for (const ground of grounds) expect(contrast(of(token), of(ground)), ground).toBeGreaterThanOrEqual(4.5);
    },
  );

  test("edges of controls are seen: 3 to 1", () => {
    for (const ground of grounds) expect(contrast(of("control"), of(ground)), ground).toBeGreaterThanOrEqual(3);
  });

  test("what is pressed is read: 4.5 to 1", () => {
    expect(contrast(of("act-ink"), of("act-ground"))).toBeGreaterThanOrEqual(4.5);
    const letters = _name === "night" ? of("act-ink") : "#ffffff";
    expect(contrast(letters, of("bad-ground"))).toBeGreaterThanOrEqual(4.5);
  });
});

test("at night there is no light but red", () => {
  for (const [token, colour] of themes.get("night") ?? []) {
    const [red, green, blue] = channels(colour);
    expect(Math.max(green, blue), token).toBeLessThanOrEqual(Math.ceil(red * 0.64));
  }
});
