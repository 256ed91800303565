import { afterAll, beforeAll, expect, test } from "vitest";
import { type Draft, emptyDraft, newBase, newLine, newZone, type Point, READY_FIGURES, READY_MODEL } from "./draft";
import { readDraft } from "./kept";

const TRIANGLE: Point[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Europe/Athens";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

function whole(): Draft {
  const draft = emptyDraft();
  return {
    ...draft,
    lines: [newLine(draft, TRIANGLE, "", "l")],
    bases: [newBase(draft, [0, 0], "", "b")],
    zones: [newZone(draft, TRIANGLE, "", "z")],
    models: [{ id: "1", name: "light", figures: { ...READY_FIGURES, cruise_m_s: null } }],
    risks: [{ id: "r", fromM: 0, toM: null, fromHour: 0, toHour: 24, weight: 2 }],
    standOffM: 120,
    start: "2026-07-15T07:30:00.000Z",
    options: { floor_agl_m: 45, overlap: null },
    camera: { widthPx: 640, heightPx: 512, fovDeg: 30, modality: "visible", maxGsdM: null },
  };
}

test("a draft that is kept is read as it was", () => {
  expect(readDraft(JSON.stringify(whole()))).toEqual({ draft: whole(), lost: 0 });
  expect(readDraft(null)).toEqual({ draft: emptyDraft(), lost: 0 });
  expect(readDraft('{"an older page": "had this"}')).toEqual({ draft: emptyDraft(), lost: 0 });
});

test.each([
  ["", 1],
  ["{", 1],
  ["null", 1],
  ["[]", 1],
  ['{"lines": 3, "shiftH": "x", "name": null, "bases": {}, "border": "lost", "camera": {"modality": 3}}', 6],
  ['{"options": {"floor_agl_m": "45"}}', 1],
  ['{"options": {"height": 45}}', 1],
  ['{"start": "at dawn"}', 1],
])("what is no draft, %j, is an empty one, and that is told", (text, lost) =>
  expect(readDraft(text)).toEqual({ draft: emptyDraft(), lost }),
);

test("of a broken list what is none is left out, and counted", () => {
  const { lines, bases, zones, models, risks } = whole();
  const [base] = bases;
  const broken = {
    ...whole(),
    lines: [null, ...lines, { ...lines[0], points: [[0, "x"]] }],
    bases: ["base", { ...base, aircraft: null }, { ...base, at: [0, 91] }, ...bases],
    zones: [...zones, { ...zones[0], ring: [null] }, { ...zones[0], kind: "none" }],
    models: [{ id: "2", name: "bare", figures: null }, ...models],
    risks: [[], ...risks],
  };
  const good = whole();
  const ids = (draft: Draft) => [
    draft.lines.length,
    draft.bases.length,
    draft.zones.length,
    draft.models,
    draft.risks.length,
  ];
  const read = readDraft(JSON.stringify(broken));
  expect(ids(read.draft)).toEqual(ids(good));
  expect(read.lost).toBe(9);
});

test("a draft of before, whose bases name their models, is brought up", () => {
  const draft = whole();
  const [base] = draft.bases;
  const aircraft = ["light", READY_MODEL, "gone"].map((model) => ({ model, count: 1 }));
  const read = readDraft(JSON.stringify({ ...draft, bases: [{ ...base, aircraft }] }));
  expect(read.draft.bases[0]?.aircraft.map((each) => each.model)).toEqual(["1", READY_MODEL, "gone"]);
});

test.each([
  ["2026-07-15T10:30", "2026-07-15T07:30:00.000Z"],
  ["2026-01-15T10:30", "2026-01-15T08:30:00.000Z"],
  ["", ""],
])("a draft of before said the beginning %j in local time: it is the same moment", (start, moment) => {
  expect(readDraft(JSON.stringify({ ...whole(), start }))).toEqual({ draft: { ...whole(), start: moment }, lost: 0 });
});
