import { describe, expect, it } from "vitest";
import { Alarms, alarmWord, wrongWith } from "./alarms";
import { History } from "./history";
import type { Segment, Vehicle } from "./records";

const NOON = Date.UTC(2026, 0, 1, 12);
const at = new Date(NOON).toISOString();

function vehicle(changes: Partial<Vehicle> = {}): Vehicle {
  const live = { time: at, until: new Date(NOON + 30_000).toISOString(), stale: false };
  return {
    ...{ id: "1", source: "s", sourceId: "v", name: "heron", frame: "copter", state: "on task", at: [10, 45.01] },
    ...{ altitude: null, heading: null, course: null, speed: null, battery: 0.8, link: "good", mode: null },
    ...{ sortie: null, footprint: null, live },
    ...changes,
  };
}

function segment(ownSide: "left" | "right", standOff = 200): Segment {
  const line = [
    [9.9, 45],
    [10.1, 45],
  ];
  return { id: "b", name: "b", line, ownSide, standOff, box: [9.9, 45, 10.1, 45] };
}

describe("what is wrong with a vehicle", () => {
  it("is nothing where it flies on its own side, well away", () => {
    expect(wrongWith(vehicle(), [segment("left")], NOON)).toEqual({});
  });

  it("is the side, as the border has it", () => {
    expect(Object.keys(wrongWith(vehicle(), [segment("right")], NOON))).toEqual(["across"]);
    expect(Object.keys(wrongWith(vehicle({ at: [10, 44.999] }), [segment("left")], NOON))).toEqual(["across"]);
  });

  it("is the distance: a thousandth of a degree of latitude is 111 m", () => {
    const near = wrongWith(vehicle({ at: [10, 45.001] }), [segment("left")], NOON);
    expect(near).toEqual({ stand_off: { name: "heron", metres: 111, least: 200 } });
    expect(wrongWith(vehicle({ at: [10, 45.001] }), [segment("left", 110)], NOON)).toEqual({});
  });

  it("says nothing of the side beyond the ends of the line", () => {
    expect(wrongWith(vehicle({ at: [10.2, 44.99] }), [segment("left")], NOON)).toEqual({});
  });

  it("is nothing for one that does not fly, or flew long ago", () => {
    const low = { battery: 0.1, link: "lost" as const };
    expect(wrongWith(vehicle({ ...low, live: null }), [], NOON)).toEqual({});
    const live = { time: at, until: at, stale: true };
    expect(wrongWith(vehicle({ ...low, live }), [], NOON + 3600_000)).toEqual({});
    expect(Object.keys(wrongWith(vehicle({ ...low, live }), [], NOON + 60_000)).sort()).toEqual([
      "battery_low",
      "link_lost",
      "stale",
    ]);
  });
});

it.each([
  ["tells no place", { at: null }],
  ["is not live any more", { live: null }],
  ["was heard of long ago", { live: { time: at, until: at, stale: true } }],
])("who was across and %s is across, where nobody knows, until it is heard of on its own side", (_, changes) => {
  const alarms = new Alarms();
  const later = NOON + 3600_000;
  const set = (one: Vehicle, now: number) =>
    alarms.set("1", wrongWith(one, [segment("left")], now, alarms.held("1")), at);
  const told = () => alarms.list.value.map((each) => [alarmWord(each), each.values.metres, each.holds]);
  set(vehicle({ at: [10, 44.999] }), NOON);
  expect(told()).toEqual([["fly.alarm_across", 111, true]]);
  alarms.see("across:1");
  set(vehicle(changes), later);
  expect(told()).toEqual([["fly.alarm_across_unknown", undefined, true]]);
  set(vehicle({ at: [10, 44.998] }), NOON);
  expect(told()).toEqual([["fly.alarm_across", 222, true]]); // twice as far: told of again
  expect(alarms.list.value[0]?.seen).toBe(false);
  set(vehicle(changes), later);
  alarms.see("across:1");
  set(vehicle(), NOON);
  expect(told()).toEqual([]);
});

it("what holds goes on however long nothing is heard, and nothing new is raised of it", () => {
  const alarms = new Alarms();
  const lost = (changes: Partial<Vehicle>, afterMin: number) => {
    const one = vehicle({ live: { time: at, until: at, stale: true }, at: [10, 45.001], ...changes });
    alarms.set("1", wrongWith(one, [segment("left")], NOON + afterMin * 60_000, alarms.held("1")), at);
    return alarms.list.value.filter((each) => each.holds).map((each) => each.sort);
  };
  expect(lost({ link: "lost" }, 14)).toEqual(["stand_off", "link_lost", "stale"]);
  alarms.seeAll();
  expect(lost({ link: "lost", battery: 0.1 }, 24 * 60)).toEqual(["stand_off", "link_lost", "stale"]);
  expect(lost({ live: null }, 24 * 60)).toEqual([]);
});

it("is across the border still, however far it flies on", () => {
  const far = vehicle({ at: [10, 44] });
  expect(wrongWith(far, [segment("left")], NOON)).toEqual({});
  expect(Object.keys(wrongWith(far, [segment("left")], NOON, new Set(["across"] as const)))).toEqual(["across"]);
});

describe("alarms", () => {
  const kinds = (alarms: Alarms) => alarms.list.value.map((each) => each.sort);

  it("stay until they are seen, though it is over, and as long as it is so, though they were seen", () => {
    const alarms = new Alarms();
    alarms.set("1", { link_lost: {}, battery_low: {} }, at);
    alarms.see("battery_low:1");
    alarms.set("1", { battery_low: {} }, at);
    expect(kinds(alarms)).toEqual(["link_lost", "battery_low"]);
    alarms.see("link_lost:1");
    expect(kinds(alarms)).toEqual(["battery_low"]);
    alarms.set("1", {}, at);
    expect(kinds(alarms)).toEqual([]);
  });

  it("are raised anew when it happens again, once", () => {
    const alarms = new Alarms();
    for (const now of [{ link_lost: {} }, {}, { link_lost: {} }]) alarms.set("1", now, at);
    expect(kinds(alarms)).toEqual(["link_lost"]);
    expect(alarms.list.value[0]?.holds).toBe(true);
  });

  it("keep their figures true, who has seen them or not, and when they were raised", () => {
    const alarms = new Alarms();
    alarms.set("1", { stand_off: { name: "heron", metres: 190, least: 200 } }, at);
    alarms.see("stand_off:1");
    alarms.set("1", { stand_off: { name: "heron", metres: 120, least: 200 } }, "2026-01-01T13:00:00Z");
    expect(alarms.list.value).toMatchObject([{ values: { metres: 120 }, seen: true, raised: at }]);
  });

  it.each([
    ["stand_off", "metres", [190, 100, 95, 60, 120, 47, 30, 23, 12]],
    ["across", "metres", [50, 150, 200, 300, 80, 400]],
    ["battery_low", "percent", [25, 16, 15, 12, 16, 15, 10, 4]],
  ] as const)("come anew when it becomes much worse: %s", (sort, name, figures) => {
    const alarms = new Alarms();
    const anew = figures.filter((figure) => {
      const before = alarms.newest.value;
      alarms.set("1", { [sort]: { [name]: figure } }, at);
      const fresh = alarms.list.value[0]?.seen === false;
      expect(alarms.newest.value !== before).toBe(fresh);
      alarms.see(`${sort}:1`);
      return fresh;
    });
    const wanted = { stand_off: [190, 95, 47, 23], across: [50, 200, 400], battery_low: [25, 15, 10, 4] };
    expect(anew.filter((each, i) => each !== anew[i - 1])).toEqual(wanted[sort]);
  });

  it("are bounded, and what holds is never let go of", () => {
    const alarms = new Alarms();
    alarms.set("1", { stale: {} }, at);
    for (let n = 0; n < 700; n += 1) alarms.happen("cue", `q${n}`, {}, new Date(NOON + n).toISOString());
    expect(alarms.list.value).toHaveLength(500);
    expect(alarms.list.value.map((each) => each.record)).toEqual(expect.arrayContaining(["1", "q699", "q201"]));
  });

  it("come with the gravest first, whatever order they are raised in", () => {
    const alarms = new Alarms();
    alarms.happen("crossing", "c", {}, at);
    alarms.happen("cue", "q", {}, at);
    alarms.set("2", { battery_low: {} }, at);
    alarms.set("1", { across: {} }, at);
    expect(kinds(alarms)).toEqual(["across", "battery_low", "cue", "crossing"]);
  });
});

describe("history", () => {
  const heard = (seconds: number, battery: number) => {
    const time = new Date(NOON + seconds * 1000).toISOString();
    return vehicle({ battery, live: { time, until: time, stale: false } });
  };

  it("tells how long the battery lasts once it has fallen long enough", () => {
    const history = new History();
    for (let s = 0; s <= 50; s += 10) history.add(heard(s, 0.8 - s / 1000));
    expect(history.minutesLeft).toBeNull();
    history.add(heard(100, 0.7)); // 0.1 in 100 s: 0.7 lasts 700 s
    expect(history.minutesLeft).toBeCloseTo(700 / 60);
  });

  it("is bounded, and takes no older state", () => {
    const history = new History();
    for (let s = 0; s < 3600; s += 1) history.add(heard(s, 0.5));
    history.add(heard(10, 0.9));
    expect(history.trail.length).toBeLessThanOrEqual(180);
    expect(history.minutesLeft).toBeNull();
  });
});
