import { expect, test } from "vitest";
import { type Draft, emptyDraft, newBase, newLine, newZone, READY_FIGURES } from "./draft";
import type { Planning } from "./planning";
import { asksFor, draftOf } from "./recalled";
import { requestOf } from "./request";

function rich(): Draft {
  const draft = { ...emptyDraft(), name: "night", standOffM: 80, shiftH: 6.5, start: "2026-06-21T04:30:15.000Z" };
  draft.lines.push({
    ...newLine(
      draft,
      [
        [-110.95, 31.3],
        [-110.9, 31.31],
      ],
      "river",
    ),
    ownSide: "right",
  });
  draft.lines.push(
    newLine(
      draft,
      [
        [-110.9, 31.31],
        [-110.85, 31.3],
      ],
      "fence",
    ),
  );
  draft.models.push({ id: "m1", name: "heavy", figures: { ...READY_FIGURES, cruise_m_s: 12 } });
  draft.bases.push({ ...newBase(draft, [-110.9, 31.35], "post"), aircraft: [{ model: "m1", count: 3 }] });
  draft.zones.push(
    newZone(
      draft,
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
      "town",
    ),
  );
  draft.zones.push({
    ...newZone(
      draft,
      [
        [2, 0],
        [3, 0],
        [3, 1],
        [2, 0],
      ],
      "low",
    ),
    ...{ kind: "limits", ceilingM: 60, ceilingDatum: "AMSL" },
  });
  draft.camera = { widthPx: 1280, heightPx: 1024, fovDeg: 24, modality: "visible", maxGsdM: 0.05 };
  draft.objective = "risk";
  draft.risks.push({ id: "r", fromM: 0, toM: 500, fromHour: 22, toHour: 4, weight: 3 });
  return { ...draft, windSpeed: 7, windFromDeg: 210, dialect: "px4", landingSites: true, options: { dwell_s: 12 } };
}

const asked = (draft: Draft) => JSON.parse(JSON.stringify(requestOf(draft, "Patrol"))) as Planning["request"];

test("what was asked for is asked for again, member by member", () => {
  for (const draft of [rich(), { ...rich(), ground: "terrain" as const }, shipped()]) {
    const request = asked(draft);
    const { draft: again, lost } = draftOf(request);
    expect(lost).toEqual([]);
    expect(asked(again)).toEqual(request);
  }
});

function shipped(): Draft {
  const draft = { ...emptyDraft(), name: "far", border: "shipped" as const };
  draft.shipped = { own: "Mexico", neighbour: "United States of America", near: "31.333, -110.95", lengthKm: 25 };
  draft.bases.push(newBase(draft, [-110.9, 31.35], "post"));
  return draft;
}

test("a bare line, and an aircraft of which not all is said, are what the planner takes them for", () => {
  const { reserve_fraction, turn_round_s, ...light } = READY_FIGURES;
  const line = {
    type: "LineString",
    coordinates: [
      [-110.95, 31.333],
      [-110.93, 31.333],
    ],
  };
  const { lines: _, models: __, ...rest } = rich();
  const request = { ...asked({ ...rest, lines: [], models: [] }), aircraft: { light } };
  const { draft, lost } = draftOf({
    ...request,
    border: { geojson: line, own_side: "right" },
  } as unknown as Planning["request"]);
  expect(lost).toEqual([]);
  expect(draft.lines).toMatchObject([{ ownSide: "right", points: line.coordinates }]);
  expect(draft.models).toMatchObject([{ figures: { ...light, reserve_fraction: 0.2, turn_round_s: 300 } }]);
});

test("what the form has no place for is named", () => {
  const request = asked(rich()) as Record<string, unknown>;
  const wing = { ...READY_FIGURES, form: "fixed_wing", turn_radius_m: 60 };
  const lost = (more: Record<string, unknown>) => draftOf({ ...request, ...more } as Planning["request"]).lost;
  expect(lost({ aircraft: { heavy: wing } })).toEqual(["aircraft"]);
  expect(lost({ camera: { width_px: 640, height_px: 512, focal_px: 900 } })).toEqual(["camera"]);
  expect(lost({ hour: 22, options: { smoothing: 2 } })).toEqual(["options", "hour"]);
  expect(lost({ airspace: { type: "FeatureCollection", features: [{ type: "Feature" }] } })).toEqual(["airspace"]);
  expect(lost({ start: "2026-06-21T04:30:15+03:00" })).toEqual([]);
  expect(lost({ start: null })).toEqual([]);
  expect(lost({ camera: null, risk: null, objective: "revisit" })).toEqual([]);
});

test("a draft asks for what it was asked for, until it is changed", () => {
  const unnamed = { ...rich(), name: "" };
  const request = asked(unnamed);
  expect(asksFor(unnamed, request, "Patrol")).toBe(true);
  expect(asksFor({ ...unnamed, standOffM: 90 }, request, "Patrol")).toBe(false);
  expect(asksFor({ ...unnamed, zones: [] }, request, "Patrol")).toBe(false);
  expect(asksFor(emptyDraft(), request, "Patrol")).toBe(false);
  expect(asksFor({ ...shipped(), zones: rich().zones }, asked(shipped()), "Patrol")).toBe(false);
});
