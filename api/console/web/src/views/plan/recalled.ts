/** From what the service was asked for back to a draft, so that it can be changed and asked for again. */

import type { Schemas } from "../../api/client";
import { momentOf } from "../../ui/moments";
import { type Base, type Draft, emptyDraft, FIGURES, type Lens, type Model, newId, READY_MODEL } from "./draft";
import { importInto } from "./importing";
import { OPTION_NAMES, type Option } from "./options";
import type { Planning } from "./planning";
import { requestOf } from "./request";

type Wish = Partial<Schemas["PlanningIn"]>;

export interface Recalled {
  draft: Draft;
  /** Members of what was asked for that the form has no place for, or another: asked again, the plan is another one. */
  lost: readonly string[];
}

/** The draft that asks for the same; what it would ask for otherwise is named. */
export function draftOf(request: Planning["request"]): Recalled {
  const wish = request as Wish;
  const unread: string[] = [];
  const read = (member: string, work: () => Draft): void => {
    try {
      draft = work();
    } catch {
      unread.push(member); // it is compared below too, but a draft that takes nothing in may be alike by chance
    }
  };
  const usual = emptyDraft();
  let draft: Draft = {
    ...usual,
    name: wish.name ?? "",
    models: Object.entries(wish.aircraft ?? {}).map(([name, figures]) => modelOf(name, figures)),
    camera: wish.camera == null ? null : lensOf(wish.camera),
    standOffM: wish.stand_off_m ?? null,
    bandOwnM: wish.band_own_m ?? null,
    bandFarM: wish.band_far_m ?? null,
    objective: wish.objective ?? usual.objective,
    risks: (wish.risk?.rows ?? []).map((row) => ({
      id: newId(),
      fromM: row.from_m,
      toM: row.to_m,
      fromHour: row.from_hour ?? null,
      toHour: row.to_hour ?? null,
      weight: row.weight,
    })),
    shiftH: wish.shift_h ?? usual.shiftH,
    start: wish.start == null ? "" : momentOf(wish.start, false),
    windSpeed: wish.wind?.speed_m_s ?? 0,
    windFromDeg: wish.wind?.from_deg ?? 0,
    ground: wish.terrain === true ? "terrain" : "level",
    groundM: wish.ground_m ?? 0,
    dialect: wish.dialect ?? usual.dialect,
    landingSites: wish.landing_sites ?? false,
    options: Object.fromEntries(
      Object.entries(wish.options ?? {}).filter(([name]) => OPTION_NAMES.includes(name as Option)),
    ),
  };
  draft.bases = (wish.bases ?? []).map((base) => baseOf(base, draft.models));
  const border = wish.border;
  if (border !== undefined && "countries" in border) {
    const [own = "", neighbour = ""] = border.countries;
    const near = border.near == null ? "" : border.near.join(", ");
    draft = { ...draft, border: "shipped", shipped: { own, neighbour, near, lengthKm: border.length_km ?? 40 } };
  } else if (border !== undefined) {
    read("border", () => importInto(draft, "border.geojson", JSON.stringify(sided(border).geojson)).draft);
  }
  const { airspace } = wish;
  if (airspace != null) read("airspace", () => importInto(draft, "zone.geojson", JSON.stringify(airspace)).draft);
  return { draft, lost: [...new Set([...unread, ...differing(draft, wish)])] };
}

/** Whether a draft asks for what was asked for, as far as the form has a place for it. */
export function asksFor(draft: Draft, request: Planning["request"], usualName: string): boolean {
  const [mine, theirs] = [draft, draftOf(request).draft].map((each) => JSON.stringify(requestOf(each, usualName)));
  return mine === theirs;
}

/** The same border as features that each say their own side. */
function sided({ geojson, own_side }: Schemas["DrawnBorderIn"]): { geojson: object } {
  const shape = geojson as { type: string; features?: object[]; properties?: object | null };
  const withSide = (feature: { properties?: object | null }) => ({
    ...feature,
    properties: { ...(own_side == null ? {} : { own_side }), ...feature.properties },
  });
  const features =
    shape.type === "FeatureCollection"
      ? (shape.features ?? [])
      : [shape.type === "Feature" ? shape : { type: "Feature", geometry: shape }];
  return { geojson: { type: "FeatureCollection", features: features.map(withSide) } };
}

/** What the planner takes for an aircraft of which it is not said; the form has every figure. */
const UNSAID: Partial<Model["figures"]> = { reserve_fraction: 0.2, turn_round_s: 300 };

function modelOf(name: string, figures: Schemas["AircraftIn"]): Model {
  const known = FIGURES.map((figure) => [figure, figures[figure] ?? UNSAID[figure] ?? null] as const);
  return { id: newId(), name, figures: Object.fromEntries(known) as Model["figures"] };
}

function lensOf(camera: Schemas["CameraIn"]): Lens {
  return {
    widthPx: camera.width_px,
    heightPx: camera.height_px,
    fovDeg: camera.horizontal_fov_deg ?? null,
    modality: camera.modality ?? "thermal",
    maxGsdM: camera.max_gsd_m ?? null,
  };
}

function baseOf({ name, lat, lon, aircraft }: Schemas["BaseIn"], models: readonly Model[]): Base {
  const idOf = (model: string): string => models.find((each) => each.name === model)?.id ?? model;
  const standing = (aircraft ?? []).map(({ model, count }) => ({ model: idOf(model ?? READY_MODEL), count }));
  return { id: newId(), name, at: [lon, lat], aircraft: standing };
}

/** Members that the draft asks for otherwise than they were asked for. */
function differing(draft: Draft, wish: Wish): string[] {
  const again = requestOf(draft, draft.name) as Record<string, unknown>;
  const { border } = wish;
  const told = border !== undefined && "geojson" in border ? { ...wish, border: sided(border) } : wish;
  return Object.entries(told)
    .filter(([member]) => member !== "explain") // the page asks for that always
    .filter(
      ([member, value]) =>
        !has(again[member], typeof value === "string" && member === "start" ? momentOf(value, false) : value),
    )
    .map(([member]) => member);
}

/** Whether all that a value says is in another; what that says besides is what the service takes by itself. */
function has(all: unknown, some: unknown): boolean {
  if (some === null || some === undefined) return all === null || all === undefined;
  if (Array.isArray(some))
    return Array.isArray(all) && all.length === some.length && some.every((each, place) => has(all[place], each));
  if (typeof some !== "object") return Object.is(all, some);
  if (typeof all !== "object" || all === null) return Object.values(some).length === 0 && all === undefined;
  return Object.entries(some).every(([name, each]) => has((all as Record<string, unknown>)[name], each));
}
