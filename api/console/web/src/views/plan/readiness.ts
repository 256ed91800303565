/** Whether a plan can be sent to its vehicles now: what stands in the way, each thing once. The service has the last word. */

import { list, members, number, text } from "../../api/feature";
import type { Word } from "../../i18n";
import { distance } from "../../map/ground";
import type { Point } from "./draft";
import type { Check, Launch, Station } from "./launches";
import type { Planning } from "./planning";
import { isOnItsWay, waits } from "./states";

/** A vehicle that a plan counts on. */
export interface Wanted {
  /** MAVLink system id, by which the plan and its station know it. */
  sysid: number;
  name: string;
  model: string;
  base: string;
  at: Point;
}

/** Words of the page, and whom they are about. */
export interface Said {
  who?: string;
  word: Word;
  values?: Record<string, string | number>;
}

type Heard = Station["vehicles"][number];

/** How one of them stands. */
export interface Standing {
  wanted: Wanted;
  /** As the station tells of it; null where that has none of this number. */
  heard: Heard | null;
  ready: boolean;
  /** Why it is not ready, in the page's words; the station's own are in `heard`. */
  fault: Said | null;
  /** How far it stands from the base that it is to start from, metres; null where that is not known. */
  fromBaseM: number | null;
}

/** The vehicles of a planning: the service numbers them in the order of the bases, from one on. */
export function wantedOf({ request }: Pick<Planning, "request">): readonly Wanted[] {
  const places = list(request.bases).flatMap((value) => {
    const base = members(value);
    const name = text(base.name) ?? "";
    const at: Point = [number(base.lon) ?? 0, number(base.lat) ?? 0];
    return list(base.aircraft).flatMap((each) => {
      const { model, count } = members(each);
      const one = { model: text(model) ?? "multirotor", base: name, at };
      return Array.from({ length: number(count) ?? 0 }, () => one);
    });
  });
  return places.map((place, before) => ({ ...place, sysid: before + 1, name: `vehicle-${before + 1}` }));
}

/** How each stands, as a station tells; of a station that is silent nothing is known. */
export function standingsOf(wanted: readonly Wanted[], station: Station | null): readonly Standing[] {
  const heard = new Map(station?.vehicles.map((vehicle) => [vehicle.sysid, vehicle]));
  return wanted.map((each) => standingOf(each, heard.get(each.sysid) ?? null, station?.live === true));
}

function standingOf(wanted: Wanted, heard: Heard | null, known: boolean): Standing {
  const { lat = null, lon = null } = heard ?? {};
  const fromBaseM = lat === null || lon === null ? null : distance(wanted.at, [lon, lat]);
  const fault: Said | null = known ? faultOf(heard) : { word: "plan.vehicle_unknown" };
  return { wanted, heard, ready: fault === null, fault, fromBaseM };
}

function faultOf(heard: Heard | null): Said | null {
  if (heard === null) return { word: "plan.vehicle_absent" };
  if (!heard.heard) return { word: "plan.vehicle_unheard" };
  if (heard.ready) return null;
  if (heard.why_not.length === 0) return { word: "plan.vehicle_unready" };
  return { word: "plan.vehicle_why", values: { why: heard.why_not.join("; ") } };
}

/** What a launch is judged by. */
export interface Outlook {
  planningId: string;
  /** Whether the plan keeps every rule. */
  kept: boolean;
  /** Whether the service was out of reach when it was last asked: what is known of stations is old. */
  away: boolean;
  station: Station | null;
  standings: readonly Standing[];
  /** Null until they have been read: what others have sent is not known. */
  launches: readonly Launch[] | null;
  checklist: readonly Check[] | null;
  ticked: readonly string[];
  /** Null for the whole shift; NaN for what is no number. */
  hours: number | null;
}

/** The hours that somebody wrote; null for nothing, NaN for what is no number. */
export function hoursOf(written: string): number | null {
  const plain = written.trim().replace(",", ".");
  return plain === "" ? null : Number(plain);
}

/** Vehicles that are named; of more their number is said. */
const NAMED = 3;

/** What stands in the way, the first to be seen to first. */
export function hindrancesOf(outlook: Outlook): readonly Said[] {
  const { kept, station, launches, checklist, ticked, hours } = outlook;
  const found: Said[] = kept ? [] : [{ word: "plan.rules_broken" }];
  if (outlook.away) found.push({ word: "plan.stations_away" });
  else if (station === null) found.push({ word: "plan.choose_station" });
  const isOwn = (launch: Launch) => launch.planning_id === outlook.planningId;
  // Whichever station has it: two of them would fly one plan.
  const flown = launches?.find((launch) => isOwn(launch) && isOnItsWay(launch));
  if (flown !== undefined) found.push(saidOf("plan.plan_on_its_way", flown));
  const others = launches?.filter((launch) => !isOwn(launch)) ?? [];
  if (station !== null) found.push(...stationFaults(station, others));
  if (station?.live === true) found.push(...vehicleFaults(outlook.standings));
  if (launches === null) found.push({ word: "plan.no_launches" });
  const left = checklist?.filter(({ key }) => !ticked.includes(key)).length;
  if (left === undefined) found.push({ word: "plan.no_checklist" });
  else if (left > 0) found.push({ word: "plan.checks_left", values: { count: left } });
  if (hours !== null && !(hours > 0 && hours <= 24)) found.push({ word: "plan.fault_hours" });
  return found;
}

function stationFaults({ source, live, busy }: Station, launches: readonly Launch[]): Said[] {
  const values = { station: source };
  if (!live) return [{ word: "plan.station_silent", values }];
  if (busy !== null) return [{ word: "plan.station_busy", values: { ...values, what: busy } }];
  const waiting = launches.find((one) => one.station === source && waits(one));
  return waiting === undefined ? [] : [saidOf("plan.station_awaited", waiting)];
}

function saidOf(word: Word, { station, plan_name, by }: Launch): Said {
  return { word, values: { station, name: plan_name, by } };
}

function vehicleFaults(standings: readonly Standing[]): Said[] {
  const found = standings.flatMap(({ wanted, fault }): Said[] =>
    fault === null ? [] : [{ who: wanted.name, ...fault }],
  );
  const more = found.length - NAMED;
  return more <= 0 ? found : [...found.slice(0, NAMED), { word: "plan.more_not_ready", values: { count: more } }];
}
