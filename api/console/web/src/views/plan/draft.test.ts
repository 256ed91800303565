import { expect, test } from "vitest";
import { emptyDraft, freeName, newBase, newLine, newZone, type Point, READY_FIGURES, READY_MODEL } from "./draft";
import { alongM, distanceM, nearestM, placeAt } from "./geometry";
import { faultsOf, partOf, requestOf } from "./request";

const TRIANGLE: Point[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 0],
];

function whole() {
  const draft = emptyDraft();
  draft.lines.push(
    newLine(draft, [
      [-110.95, 31.333],
      [-110.93, 31.333],
    ]),
  );
  draft.bases.push(newBase(draft, [-110.94, 31.345], "north"));
  return draft;
}

test("a whole draft has no faults and is asked for as it was drawn", () => {
  const asked = requestOf(whole(), "Patrol");
  expect(faultsOf(whole())).toEqual([]);
  expect(asked).toMatchObject({
    name: "Patrol",
    bases: [{ name: "north", lat: 31.345, lon: -110.94, aircraft: [{ model: "multirotor", count: 2 }] }],
    border: { geojson: { features: [{ properties: { own_side: "left" } }] } },
    ground_m: 0,
  });
  expect(asked).not.toHaveProperty("stand_off_m");
  expect(asked).not.toHaveProperty("terrain");
});

test("limits of the planner are asked for where they are set, and refused at their own part", () => {
  expect(requestOf(whole(), "")).toMatchObject({ dialect: "ardupilot", options: {} });
  const options = { floor_agl_m: 45, overlap: 0, dwell_s: null };
  const asked = requestOf({ ...whole(), dialect: "px4", landingSites: true, options }, "");
  expect(asked.options).toEqual({ floor_agl_m: 45, overlap: 0 });
  expect(asked).toMatchObject({ dialect: "px4", landing_sites: true });
  expect(partOf("option zone_margin_m is 0.0: give a number between 1 and 10000")).toBe("more");
  expect(partOf("heights 40, 90 and 20 m: the floor must be below the patrol ceiling")).toBe("more");
  expect(partOf("options.overlap: Input should be a valid number")).toBe("more");
});

test("each fault is said at its part of the form", () => {
  const parts = (draft: ReturnType<typeof whole>) => faultsOf(draft).map((fault) => fault.part);
  expect(parts(emptyDraft())).toEqual(["border", "bases"]);
  expect(parts({ ...whole(), shiftH: null })).toEqual(["shift"]);
  expect(parts({ ...whole(), groundM: 99_999 })).toEqual(["ground"]);
  expect(parts({ ...whole(), objective: "risk" })).toEqual(["patrol"]);
  expect(parts({ ...whole(), border: "shipped" })).toEqual(["border"]);
  const zone = newZone(whole(), TRIANGLE);
  expect(parts({ ...whole(), zones: [zone] })).toEqual([]);
  expect(parts({ ...whole(), zones: [{ ...zone, floorM: 100, ceilingM: 50 }] })).toEqual(["zones"]);
  expect(parts({ ...whole(), zones: [{ ...zone, ring: TRIANGLE.slice(0, 2) }] })).toEqual(["zones"]);
  const twins = [newBase(whole(), [0, 0], "a"), newBase(whole(), [1, 1], "a")];
  expect(parts({ ...whole(), bases: twins })).toEqual(["bases"]);
});

test("bases know models by what they are, whatever these are called while a name is written", () => {
  const model = (id: string, name: string) => ({ id, name, figures: { ...READY_FIGURES } });
  const [base] = whole().bases;
  if (base === undefined) throw new Error("no base");
  const aircraft = [
    { model: "1", count: 2 },
    { model: READY_MODEL, count: 1 },
  ];
  const named = (light: string, heavy: string) => ({
    ...whole(),
    bases: [{ ...base, aircraft }],
    models: [model("1", light), model("2", heavy)],
  });
  expect(requestOf(named(" light ", "heavy"), "x")).toMatchObject({
    bases: [{ aircraft: [{ model: "light" }, { model: READY_MODEL }] }],
    aircraft: { light: {}, heavy: {} },
  });
  const words = (light: string, heavy: string) => faultsOf(named(light, heavy)).map((fault) => fault.word);
  expect(words("light", "heavy")).toEqual([]);
  expect(words("heavy ", "heavy")).toEqual(["plan.fault_same_model"]);
  expect(words("light", READY_MODEL)).toEqual(["plan.fault_same_model"]);
  expect(words("", "")).toEqual(["plan.fault_model"]);
  expect(faultsOf({ ...named("light", "heavy"), models: [] }).map((fault) => fault.word)).toEqual([
    "plan.fault_model_gone",
  ]);
});

test.each([
  ["border.geojson: feature 1: crosses itself", "border"],
  ["airspace.geojson: feature 1: zone 1: has no polygon", "zones"],
  ["fleet.json: aircraft light: cruise_m_s is above max_m_s", "fleet"],
  ["body.bases.0.lat: Input should be less than 90", "bases"],
  ["terrain: this service has none", "ground"],
  ["body.shift_h: Input should be less than 24", "shift"],
])("the service's words, %s, are of %s", (words, part) => expect(partOf(words)).toBe(part));

test("a place so far along a way is found again by its nearest place", () => {
  const way: [number, number][] = [
    [10, 50],
    [10.1, 50],
    [10.1, 50.1],
  ];
  const along = alongM(way);
  expect(distanceM([0, 0], [0, 1])).toBeCloseTo(111_195, 0);
  for (const m of [0, 1234, along[1] ?? 0, 12_345]) {
    const place = placeAt(way, along, m);
    expect(place).not.toBeNull();
    expect(nearestM(way, along, place ?? [0, 0])).toBeCloseTo(m, 3);
  }
});

test("names are taken once", () => {
  expect(freeName("base", [], true)).toBe("base 1");
  expect(freeName("base", ["base 1"], true)).toBe("base 2");
  expect(freeName("north", ["north"], false)).toBe("north 2");
});
