/** From the draft to what the service is asked for, and what is missing or wrong before it is asked. */

import type { Schemas } from "../../api/client";
import type { Word } from "../../i18n";
import { readPlace } from "../../ui/coordinates";
import { type Draft, FIGURES, type Lens, type Model, READY_MODEL } from "./draft";
import { ringOf } from "./geometry";
import { OPTION_NAMES, setOf } from "./options";

/** Parts of the form that a fault can be of. */
export type Part = "name" | "border" | "bases" | "zones" | "fleet" | "patrol" | "shift" | "ground" | "more";

/** Something that keeps a draft from being planned: in words of the page, or of the service. */
export interface Fault {
  part: Part;
  word: Word;
  values?: Record<string, string | number>;
}

/** What is missing or wrong. The service looks again, and more closely. */
export function faultsOf(draft: Draft): Fault[] {
  return [
    ...borderFaults(draft),
    ...baseFaults(draft),
    ...modelFaults(draft),
    ...zoneFaults(draft),
    ...figureFaults(draft),
  ];
}

function borderFaults({ border, lines, shipped }: Draft): Fault[] {
  if (border === "drawn") {
    if (lines.length === 0) return [{ part: "border", word: "plan.fault_no_border" }];
    const short = lines.find((line) => line.points.length < 2);
    return short === undefined ? [] : [{ part: "border", word: "plan.fault_short", values: { name: short.name } }];
  }
  const found: Fault[] = [];
  if (shipped.own.trim() === "" || shipped.neighbour.trim() === "")
    found.push({ part: "border", word: "plan.fault_countries" });
  if (shipped.near.trim() !== "" && readPlace(shipped.near) === null)
    found.push({ part: "border", word: "plan.fault_near" });
  if (!within(shipped.lengthKm, 0.1, 1000)) found.push({ part: "border", word: "plan.fault_length" });
  return found;
}

function baseFaults({ bases, models }: Draft): Fault[] {
  if (bases.length === 0) return [{ part: "bases", word: "plan.fault_no_base" }];
  const found: Fault[] = [];
  const names = bases.map((base) => base.name.trim());
  if (names.includes("")) found.push({ part: "bases", word: "plan.fault_unnamed_base" });
  const twice = names.find((name, place) => name !== "" && names.indexOf(name) !== place);
  if (twice !== undefined) found.push({ part: "bases", word: "plan.fault_same_base", values: { name: twice } });
  for (const base of bases) {
    if (base.aircraft.length === 0 || base.aircraft.some((each) => !within(each.count, 1, 100)))
      found.push({ part: "bases", word: "plan.fault_count", values: { name: base.name } });
  }
  const known = new Set([READY_MODEL, ...models.map((model) => model.id)]);
  const lacking = bases.find((base) => base.aircraft.some((each) => !known.has(each.model)));
  if (lacking !== undefined)
    found.push({ part: "bases", word: "plan.fault_model_gone", values: { name: lacking.name } });
  return found;
}

function modelFaults({ models }: Draft): Fault[] {
  const found: Fault[] = [];
  const bare = models.find((model) => model.name.trim() === "" || Object.values(model.figures).includes(null));
  if (bare !== undefined) found.push({ part: "fleet", word: "plan.fault_model", values: { name: bare.name } });
  // The service knows models by their names: two of one name would be one, and the ready-made one another.
  const names = models.map((model) => model.name.trim());
  const twice = [READY_MODEL, ...names].find((name, place, all) => name !== "" && all.indexOf(name) !== place);
  if (twice !== undefined) found.push({ part: "fleet", word: "plan.fault_same_model", values: { name: twice } });
  return found;
}

function zoneFaults({ zones }: Draft): Fault[] {
  return zones.flatMap((zone): Fault[] => {
    const values = { name: zone.name };
    if (ringOf(zone.ring) === null) return [{ part: "zones", word: "plan.fault_corners", values }];
    if (zone.kind === "limits" && zone.floorM === null && zone.ceilingM === null)
      return [{ part: "zones", word: "plan.fault_limits", values }];
    const { floorM, ceilingM } = zone;
    const crossed = floorM !== null && ceilingM !== null && zone.floorDatum === zone.ceilingDatum && ceilingM <= floorM;
    return crossed ? [{ part: "zones", word: "plan.fault_heights", values }] : [];
  });
}

function figureFaults(draft: Draft): Fault[] {
  const found: Fault[] = [];
  if (!within(draft.shiftH, 0.1, 24)) found.push({ part: "shift", word: "plan.fault_shift" });
  if (!within(draft.windSpeed, 0, 40) || !within(draft.windFromDeg, 0, 360))
    found.push({ part: "shift", word: "plan.fault_wind" });
  if (draft.ground === "level" && !within(draft.groundM, -500, 9000))
    found.push({ part: "ground", word: "plan.fault_ground" });
  const bare = (risk: Draft["risks"][number]) => [risk.fromM, risk.toM, risk.weight].includes(null);
  if (draft.objective === "risk" && (draft.risks.length === 0 || draft.risks.some(bare)))
    found.push({ part: "patrol", word: "plan.fault_risk" });
  const { camera } = draft;
  if (camera !== null && [camera.widthPx, camera.heightPx, camera.fovDeg].includes(null))
    found.push({ part: "fleet", word: "plan.fault_camera" });
  return found;
}

const within = (figure: number | null, low: number, high: number): boolean =>
  figure !== null && figure >= low && figure <= high;

/** What the service is asked for; for a draft without faults. `usualName` is what a plan is called that has no name. */
export function requestOf(draft: Draft, usualName: string): Schemas["PlanningIn"] {
  const { camera, risks } = draft;
  const names = new Map([
    [READY_MODEL, READY_MODEL],
    ...draft.models.map(({ id, name }) => [id, name.trim()] as const),
  ]);
  return {
    name: draft.name.trim() || usualName,
    border: borderOf(draft),
    ...said("stand_off_m", draft.standOffM),
    ...said("band_own_m", draft.bandOwnM),
    ...said("band_far_m", draft.bandFarM),
    bases: draft.bases.map((base) => ({
      name: base.name.trim(),
      lon: base.at[0],
      lat: base.at[1],
      aircraft: base.aircraft.map(({ model, count }) => ({ model: names.get(model) ?? model, count: count ?? 1 })),
    })),
    aircraft: Object.fromEntries(draft.models.map((model) => [model.name.trim(), aircraftOf(model)])),
    ...(camera === null ? {} : { camera: cameraOf(camera) }),
    ...(draft.zones.length === 0 ? {} : { airspace: airspaceOf(draft) }),
    objective: draft.objective,
    ...(draft.objective === "risk" ? { risk: { rows: risks.map(riskOf) } } : {}),
    shift_h: draft.shiftH ?? 8,
    ...(draft.start === "" ? {} : { start: draft.start }),
    wind: { speed_m_s: draft.windSpeed ?? 0, from_deg: draft.windFromDeg ?? 0 },
    ...(draft.ground === "terrain" ? { terrain: true } : { ground_m: draft.groundM ?? 0 }),
    ...(draft.landingSites ? { landing_sites: true } : {}),
    options: setOf(draft.options),
    dialect: draft.dialect,
    explain: true,
  } as Schemas["PlanningIn"];
}

/** Absent where it is null: the planner's own counts. */
function said<Name extends string>(name: Name, figure: number | null): { [N in Name]?: number } {
  return figure === null ? {} : ({ [name]: figure } as { [N in Name]?: number });
}

function borderOf({ border, lines, shipped }: Draft): Schemas["PlanningIn"]["border"] {
  if (border === "shipped") {
    const near = readPlace(shipped.near);
    return {
      countries: [shipped.own.trim(), shipped.neighbour.trim()],
      ...(near === null ? {} : { near: [near.lat, near.lon] as [number, number] }),
      length_km: shipped.lengthKm ?? 40,
    };
  }
  return {
    geojson: {
      type: "FeatureCollection",
      features: lines.map((line) => ({
        type: "Feature" as const,
        properties: { name: line.name, own_side: line.ownSide },
        geometry: { type: "LineString" as const, coordinates: line.points },
      })),
    },
  };
}

function aircraftOf(model: Model): Schemas["AircraftIn"] {
  const figures = FIGURES.map((figure) => [figure, model.figures[figure] ?? 0]);
  return Object.fromEntries(figures) as Schemas["AircraftIn"];
}

function cameraOf(lens: Lens): Schemas["CameraIn"] {
  return {
    width_px: lens.widthPx ?? 0,
    height_px: lens.heightPx ?? 0,
    horizontal_fov_deg: lens.fovDeg,
    modality: lens.modality,
    ...said("max_gsd_m", lens.maxGsdM),
  } as Schemas["CameraIn"];
}

function airspaceOf({ zones }: Draft): Schemas["MapFeatures"] {
  return {
    type: "FeatureCollection",
    features: zones.map((zone) => ({
      type: "Feature" as const,
      properties: {
        name: zone.name,
        kind: zone.kind,
        ...(zone.floorM === null ? {} : { floor_m: zone.floorM, floor_datum: zone.floorDatum }),
        ...(zone.ceilingM === null ? {} : { ceiling_m: zone.ceilingM, ceiling_datum: zone.ceilingDatum }),
      },
      geometry: { type: "Polygon" as const, coordinates: [ringOf(zone.ring) ?? zone.ring] },
    })),
  };
}

function riskOf(risk: Draft["risks"][number]): Schemas["RiskRowIn"] {
  return {
    from_m: risk.fromM ?? 0,
    to_m: risk.toM ?? 0,
    weight: risk.weight ?? 1,
    from_hour: risk.fromHour ?? 0,
    to_hour: risk.toHour ?? 24,
  } as Schemas["RiskRowIn"];
}

const PLACES: readonly [RegExp, Part][] = [
  [new RegExp(`\\b(option|options|heights|${OPTION_NAMES.join("|")})\\b`), "more"],
  [/border|countries|own_side|country|line|neighbour/i, "border"],
  [/airspace|zone/i, "zones"],
  [/fleet|aircraft|camera|model/i, "fleet"],
  [/base/i, "bases"],
  [/terrain|ground/i, "ground"],
  [/shift|start|hour|wind/i, "shift"],
  [/risk|stand_off|band|objective|dwell|height/i, "patrol"],
];

/** Which part of the form words of the service are about; they begin with the place. */
export function partOf(words: string): Part {
  const place = words.split(":").slice(0, 2).join(":");
  return (PLACES.find(([about]) => about.test(place)) ?? PLACES.find(([about]) => about.test(words)))?.[1] ?? "name";
}
