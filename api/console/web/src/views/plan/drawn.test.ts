import { expect, test } from "vitest";
import { emptyDraft, newBase, newLine, newZone, type Point } from "./draft";
import { changesOf, featuresOf } from "./drawn";

const RING: Point[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];

function draftOf(rings: Record<string, Point[]>) {
  const draft = emptyDraft();
  for (const [id, ring] of Object.entries(rings)) draft.zones.push(newZone(draft, ring, id, id));
  draft.bases.push(newBase(draft, [5, 5], "north", "base"));
  draft.lines.push(newLine(draft, [[3, 3]], "short", "short"));
  return draft;
}

const idsOf = (features: readonly { id?: unknown }[]) => new Set(features.map((one) => String(one.id)));

test("what the drawing tool would refuse is not given to it, and an open ring is given closed", () => {
  const features = featuresOf(draftOf({ open: RING.slice(0, 3), flat: [...RING.slice(0, 2), [0, 0]] }));
  expect([...idsOf(features)]).toEqual(["open", "base"]);
  expect(features[0]?.geometry.coordinates).toEqual([RING]);
});

test("a zone that was never drawn stays when something else is dragged", () => {
  const draft = draftOf({ flat: RING.slice(0, 2), whole: RING });
  const drawn = featuresOf(draft).map((one) =>
    one.id === "base" ? { id: "base", geometry: { type: "Point" as const, coordinates: [6, 6] } } : one,
  );
  const changes = changesOf(draft, drawn, idsOf(drawn));
  expect(changes?.bases).toMatchObject([{ id: "base", name: "north", at: [6, 6] }]);
  expect(changes?.zones).toEqual(draft.zones);
  expect(changes?.lines).toEqual(draft.lines);
});

test("what was drawn and is gone was deleted, what is new is added, and else nothing changes", () => {
  const draft = draftOf({ a: RING, b: RING });
  const drawn = featuresOf(draft);
  expect(changesOf(draft, drawn, idsOf(drawn))).toBeNull();
  const without = drawn.filter((one) => one.id !== "a");
  expect(changesOf(draft, without, idsOf(drawn))?.zones?.map((zone) => zone.id)).toEqual(["b"]);
  const line = { id: "new", geometry: { type: "LineString" as const, coordinates: RING } };
  const added = changesOf({ ...draft, border: "shipped" }, [...drawn, line], idsOf(drawn));
  expect(added?.lines?.map((one) => one.id)).toEqual(["short", "new"]);
  expect(added?.border).toBe("drawn");
});
