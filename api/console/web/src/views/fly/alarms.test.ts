import { describe, expect, it } from "vitest";
import { Alarms, wrongWith } from "./alarms";
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
