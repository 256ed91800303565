/** Drafts as a browser keeps them: of an older page, or broken, they are none the less drafts. */

import { momentOf } from "../../ui/moments";
import type { Base, Draft, Lens, Line, Model, Risk, Shipped, Standing, Zone } from "./draft";
import { emptyDraft, FIGURES, READY_MODEL } from "./draft";
import { OPTION_NAMES, type Option } from "./options";

export interface Kept {
  draft: Draft;
  /** How many members, or lines, bases, zones and so on, were not to be understood and are left out. */
  lost: number;
}

type Check = (value: unknown) => boolean;
type Checks<T> = { readonly [Name in keyof T]-?: Check };

const text: Check = (value) => typeof value === "string";
const figure: Check = (value) => value === null || Number.isFinite(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
function objectOf<T>(checks: Checks<T>): Check {
  return (value) => isObject(value) && Object.entries<Check>(checks).every(([name, check]) => check(value[name]));
}

const within = (value: unknown, most: number): boolean => typeof value === "number" && Math.abs(value) <= most;
const point: Check = (value) =>
  Array.isArray(value) && value.length === 2 && within(value[0], 180) && within(value[1], 90);
const points = listOf(point);
const datum = oneOf("AGL", "AMSL");
const standing = objectOf<Standing>({ model: text, count: figure });
const lens = objectOf<Lens>({
  widthPx: figure,
  heightPx: figure,
  fovDeg: figure,
  modality: oneOf("thermal", "visible"),
  maxGsdM: figure,
});

/** What the elements of the lists are. */
const ELEMENTS = {
  lines: objectOf<Line>({ id: text, name: text, ownSide: oneOf("left", "right"), points }),
  bases: objectOf<Base>({ id: text, name: text, at: point, aircraft: listOf(standing) }),
  zones: objectOf<Zone>({
    ...{ id: text, name: text, kind: oneOf("no_fly", "limits"), ring: points },
    ...{ floorM: figure, floorDatum: datum, ceilingM: figure, ceilingDatum: datum },
  }),
  models: objectOf<Model>({
    ...{ id: text, name: text },
    figures: (value) => isObject(value) && FIGURES.every((name) => figure(value[name])),
  }),
  risks: objectOf<Risk>({
    ...{ id: text, fromM: figure, toM: figure, fromHour: figure, toHour: figure, weight: figure },
  }),
} as const;
type List = keyof typeof ELEMENTS;

const MEMBERS: Checks<Omit<Draft, List>> = {
  name: text,
  border: oneOf("drawn", "shipped"),
  shipped: objectOf<Shipped>({ own: text, neighbour: text, near: text, lengthKm: figure }),
  camera: (value) => value === null || lens(value),
  standOffM: figure,
  bandOwnM: figure,
  bandFarM: figure,
  objective: oneOf("revisit", "coverage", "risk"),
  shiftH: figure,
  start: (value) => value === "" || (typeof value === "string" && momentOf(value, false) !== ""),
  windSpeed: figure,
  windFromDeg: figure,
  ground: oneOf("level", "terrain"),
  groundM: figure,
  dialect: oneOf("ardupilot", "px4"),
  landingSites: (value) => typeof value === "boolean",
  options: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, each]) => OPTION_NAMES.includes(name as Option) && figure(each)),
};

/** The draft that a browser kept: what of it is not to be understood is as in an empty one, and counted. */
export function readDraft(kept: string | null): Kept {
  const read = parsed(kept);
  let lost = read === null ? 1 : 0;
  const members = Object.entries(emptyDraft()).map(([name, usual]): [string, unknown] => {
    const value = read?.[name];
    if (value === undefined) return [name, usual];
    if (name in ELEMENTS && Array.isArray(value)) {
      const good = value.filter(ELEMENTS[name as List]);
      lost += value.length - good.length;
      return [name, good];
    }
    if (name in MEMBERS && MEMBERS[name as keyof typeof MEMBERS](value)) return [name, value];
    lost += 1;
    return [name, usual];
  });
  return { draft: withZone(byId(Object.fromEntries(members) as unknown as Draft)), lost };
}

/** Drafts of before said when the shift begins in local time, without a zone. */
function withZone(draft: Draft): Draft {
  return { ...draft, start: momentOf(draft.start, false) };
}

/** Drafts of before named the models that stand at bases; now their ids do. */
function byId(draft: Draft): Draft {
  const ids = new Set([READY_MODEL, ...draft.models.map((model) => model.id)]);
  const idOf = (told: string): string =>
    ids.has(told) ? told : (draft.models.find((model) => model.name === told)?.id ?? told);
  return {
    ...draft,
    bases: draft.bases.map((base) => ({
      ...base,
      aircraft: base.aircraft.map((each) => ({ ...each, model: idOf(each.model) })),
    })),
  };
}

/** Null for a text that is no object. */
function parsed(kept: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(kept ?? "{}");
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
