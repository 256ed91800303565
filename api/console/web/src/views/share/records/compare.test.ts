import { expect, test } from "vitest";
import { compared } from "./compare";
import type { Feature } from "./preview";

const feature = (properties: Record<string, unknown>, geometry: unknown = null) =>
  ({ type: "Feature", id: "a", geometry, properties }) as unknown as Feature;

test("what is withheld, changed, added and the same is told apart, what is shared first", () => {
  const ours = feature(
    { source: "v1", kind: "person", evidence: { clip: "a.ts" } },
    { type: "Point", coordinates: [1, 2] },
  );
  const theirs = feature({ kind: "person", evidence: { media: "blurred" }, released: "now" });
  expect(compared(ours, theirs).map(({ name, difference }) => [name, difference])).toEqual([
    ["kind", "same"],
    ["evidence", "changed"],
    ["released", "added"],
    ["geometry", "withheld"],
    ["source", "withheld"],
  ]);
});

test("who sees nothing has every member withheld", () => {
  expect(compared(feature({ kind: "person" }), null)).toEqual([
    { name: "kind", ours: "person", theirs: null, difference: "withheld" },
  ]);
});
