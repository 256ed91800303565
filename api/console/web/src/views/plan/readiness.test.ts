import { expect, test } from "vitest";
import type { Launch, Station } from "./launches";
import { hindrancesOf, hoursOf, type Outlook, standingsOf, wantedOf } from "./readiness";

const north = { name: "north", lat: 31.345, lon: -110.94 };
const south = { name: "south", lat: 31.3, lon: -110.9 };
const request = {
  bases: [
    { ...north, aircraft: [{ model: "light", count: 2 }] },
    { ...south, aircraft: [{ count: 1 }, { model: "light", count: 1 }] },
  ],
};
const wanted = wantedOf({ request } as never);
const good = (sysid: number, more = {}) => ({
  ...{ sysid, name: null, autopilot: null, heard: true, ready: true, why_not: [], battery_left: 0.9 },
  ...{ lat: 31.345, lon: -110.94, ...more },
});

function station(vehicles: Station["vehicles"], more: Partial<Station> = {}): Station {
  return { source: "hill", run: "0", told_at: "2026-01-01T12:00:00Z", live: true, busy: null, vehicles, ...more };
}

const whole = station([1, 2, 3, 4].map((sysid) => good(sysid)));
const launch = (station: string, state: Launch["state"], planning_id = "other") =>
  ({ station, state, planning_id, plan_name: "Nogales", by: "Ada" }) as Launch;
const words = (given: Partial<Outlook>) => {
  const usual = { planningId: "p", kept: true, away: false, launches: [], checklist: [], ticked: [], hours: null };
  const shown = given.station === undefined ? whole : given.station;
  const outlook = { ...usual, station: shown, standings: standingsOf(wanted, shown), ...given };
  return hindrancesOf(outlook).map(({ who, word }) => [...(who === undefined ? [] : [who]), word].join(" "));
};

test("vehicles are numbered as the service numbers them, over all bases", () => {
  expect(wanted.map(({ sysid, name, model, base }) => [sysid, name, model, base])).toEqual([
    [1, "vehicle-1", "light", "north"],
    [2, "vehicle-2", "light", "north"],
    [3, "vehicle-3", "multirotor", "south"],
    [4, "vehicle-4", "light", "south"],
  ]);
});

test("nothing stands in the way of a station whose vehicles are all ready, whatever else it has", () => {
  expect(words({})).toEqual([]);
  const more = station([...whole.vehicles, good(9, { ready: false, why_not: ["no GPS"] })]);
  expect(words({ station: more })).toEqual([]);
});

test("how far a vehicle stands from the base it starts from is told where it is known", () => {
  const [first, second, third] = standingsOf(wanted, station([good(1), good(2, { lat: null, lon: null }), good(3)]));
  expect(first?.fromBaseM).toBe(0);
  expect(second?.fromBaseM).toBeNull();
  // 0.045 degrees of latitude, 0.04 of longitude at 31.3 degrees north
  expect(third?.fromBaseM).toBeCloseTo(Math.hypot(0.045 * 111_195, 0.04 * 111_195 * Math.cos(0.5466)), -2);
});

test("each vehicle that is not ready says why", () => {
  const unready = good(3, { ready: false, why_not: ["no GPS", "battery at 20 %"] });
  const standings = standingsOf(wanted, station([good(1), good(2, { heard: false }), unready]));
  expect(standings.map(({ fault }) => fault)).toEqual([
    null,
    { word: "plan.vehicle_unheard" },
    { word: "plan.vehicle_why", values: { why: "no GPS; battery at 20 %" } },
    { word: "plan.vehicle_absent" },
  ]);
  expect(words({ station: station([good(1), good(2, { heard: false }), unready]) })).toEqual([
    "vehicle-2 plan.vehicle_unheard",
    "vehicle-3 plan.vehicle_why",
    "vehicle-4 plan.vehicle_absent",
  ]);
  expect(words({ station: station([]) }).at(-1)).toBe("plan.more_not_ready");
});

test("of a station that is silent nothing is believed", () => {
  const silent = station(whole.vehicles, { live: false, busy: "Nogales" });
  expect(standingsOf(wanted, silent).some(({ ready }) => ready)).toBe(false);
  expect(words({ station: silent })).toEqual(["plan.station_silent"]);
});

test.each<[Partial<Outlook>, string]>([
  [{ kept: false }, "plan.rules_broken"],
  [{ away: true }, "plan.stations_away"],
  [{ station: null }, "plan.choose_station"],
  [{ station: station(whole.vehicles, { busy: "Nogales" }) }, "plan.station_busy"],
  [{ launches: [launch("hill", "given")] }, "plan.station_awaited"],
  [{ launches: [launch("hill", "taken")] }, "plan.station_awaited"],
  [{ launches: [launch("valley", "given", "p")] }, "plan.plan_on_its_way"],
  [{ launches: [launch("valley", "taken", "p")] }, "plan.plan_on_its_way"],
  [{ launches: [launch("valley", "done", "p"), launch("valley", "accepted", "p")] }, "plan.plan_on_its_way"],
  [{ launches: [launch("hill", "given", "p")] }, "plan.plan_on_its_way"],
  [{ launches: null }, "plan.no_launches"],
  [{ checklist: null }, "plan.no_checklist"],
  [{ checklist: [{ key: "site", words: "" }], ticked: ["crew"] }, "plan.checks_left"],
  [{ hours: 0 }, "plan.fault_hours"],
  [{ hours: 25 }, "plan.fault_hours"],
  [{ hours: hoursOf("1-2") }, "plan.fault_hours"],
])("%j stands in the way", (given, word) => expect(words(given)).toEqual([word]));

test.each<Partial<Outlook>>([
  { launches: [launch("valley", "given"), launch("valley", "accepted")] },
  { launches: [launch("hill", "done"), launch("valley", "failed", "p")] },
  { checklist: [{ key: "site", words: "" }], ticked: ["site"] },
  { hours: hoursOf(" 1,5 ") },
  { hours: hoursOf(" ") },
])("%j does not", (given) => expect(words(given)).toEqual([]));
