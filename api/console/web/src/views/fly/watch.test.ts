import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Told } from "../../api/events";
import { skewS } from "../../app/skew";
import { Watch } from "./watch";

type Seat = { tell: (told: Told) => void; back: () => void; connection: { value: string } };
const streams = vi.hoisted(() => new Map<string, Seat>());
const page = vi.hoisted(() => ({ partner: null as string | null, forbidden: new Set<string>(), opening: false }));
type Query = Readonly<Record<string, string>>;
const lists = vi.hoisted(() => ({ of: (_kind: string, _query?: Query): unknown[] => [] }));

vi.mock("../../api/client", () => ({ admitted: signal(true) }));
vi.mock("../../app/session", () => ({
  may: (permission: string) => !page.forbidden.has(permission),
  me: { peek: () => ({ partner_id: page.partner }) },
}));
vi.mock("../../ui/failure", () => ({
  attempt: (work: () => Promise<unknown>) =>
    work().then(
      () => true,
      () => false,
    ),
}));
vi.mock("../../api/events", () => ({
  Stream: class {
    readonly connection = signal(page.opening ? "opening" : "live");
    readonly heard = signal(null);
    readonly path: string;
    constructor(path: string) {
      this.path = path;
    }
    listen(tell: Seat["tell"], back: Seat["back"]) {
      streams.set(this.path, { tell, back, connection: this.connection });
      return () => undefined;
    }
  },
}));
vi.mock("./lists", () => ({
  listOf: async (kind: string, read: (told: unknown) => unknown, query?: Query) => lists.of(kind, query).map(read),
}));

const NOON = Date.UTC(2026, 0, 1, 12);
const iso = (ms: number) => new Date(NOON + ms).toISOString();

function crossing(id: string, ms = 0, state = "pending") {
  const geometry = { type: "Point", coordinates: [10, 45] };
  const review = { state };
  return { id, geometry, properties: { kind: "person", direction: "inbound", status: "new", time: iso(ms), review } };
}

function vehicle(id: string, ms: number) {
  const live = { time: iso(ms), until: iso(ms + 30_000), stale: false };
  const geometry = { type: "Point", coordinates: [10, 45] };
  return { id, geometry, properties: { name: id, frame: "copter", live } };
}

function event(kind: string, feature: { id: string }, isThere = true): Told {
  return { kind, data: { record_type: "crossing", record_id: feature.id, feature: isThere ? feature : null } };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const alarms = (watch: Watch) => watch.alarms.list.value.map((each) => `${each.sort} ${each.record}`);
let end: () => void = () => undefined;

async function begin(): Promise<Watch> {
  const watch = new Watch(() => undefined);
  end = watch.open();
  await pass(0);
  return watch;
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  page.partner = null;
  page.opening = false;
  page.forbidden.clear();
  lists.of = () => [];
  skewS.value = null;
});

afterEach(() => {
  end();
  vi.useRealTimers();
});

it("a vehicle grows old though the line is said to be there and nothing comes", async () => {
  const watch = await begin();
  streams.get("/vehicles/stream")?.tell({ kind: "vehicle", data: vehicle("heron", 0) });
  await pass(29_000);
  expect(alarms(watch)).toEqual([]);
  await pass(2000);
  expect(alarms(watch)).toEqual(["stale heron"]);
});

it("where the last crossing was is asked for by who has nothing newer and nothing else", async () => {
  const asked: string[] = [];
  lists.of = (kind, query = {}) => {
    asked.push(`${kind} ${query.limit ?? ""}`);
    return kind === "crossings" && query.from === undefined ? [crossing("old", -90_000_000)] : [];
  };
  const watch = await begin();
  expect(watch.lastPlace.value).toEqual([10, 45]);
  expect(watch.crossings.all.value.size).toBe(0);
  expect(asked).toContain("crossings 1");
  end();
  asked.length = 0;
  lists.of = (kind) => {
    asked.push(kind);
    return kind === "vehicles" ? [vehicle("heron", 0)] : [];
  };
  expect((await begin()).lastPlace.value).toBeNull();
  expect(asked.filter((kind) => kind === "crossings")).toHaveLength(1); // of the last day
});

it("what comes as the state before it has had its time stands", async () => {
  skewS.value = 0;
  const watch = await begin();
  const stream = streams.get("/vehicles/stream");
  stream?.tell({ kind: "vehicle", data: vehicle("heron", 0) });
  await pass(29_900);
  stream?.tell({ kind: "vehicle", data: vehicle("heron", 29_900) }); // shown with what comes next, after the page's tick
  await pass(1000);
  expect(watch.vehicles.all.value.get("heron")?.live).toMatchObject({ time: iso(29_900), stale: false });
  expect(alarms(watch)).toEqual([]);
});

it("of vehicles that were told of while a list of them was on its way, what was told stands", async () => {
  const watch = await begin();
  const stream = streams.get("/vehicles/stream");
  for (const id of ["left", "gone"]) stream?.tell({ kind: "vehicle", data: vehicle(id, 0) });
  await pass(1000);
  lists.of = (kind) => {
    if (kind !== "vehicles") return [];
    stream?.tell({ kind: "vehicle", data: vehicle("new", 1000) });
    stream?.tell({ kind: "vehicle", data: vehicle("left", 1000) });
    stream?.tell({ kind: "gone", data: { id: "gone" } });
    return [vehicle("left", 0), vehicle("gone", 0)];
  };
  stream?.back();
  await pass(1000);
  const shown = [...watch.vehicles.all.value.values()].map(({ id, live }) => `${id} ${live?.time}`);
  expect(shown.toSorted()).toEqual([`left ${iso(1000)}`, `new ${iso(1000)}`]);
});

it("what is not live, or not there, any more after a cut is shown so, and nobody is alarmed by it", async () => {
  const watch = await begin();
  const stream = streams.get("/vehicles/stream");
  for (const id of ["landed", "erased"]) {
    const told = vehicle(id, 0);
    stream?.tell({ kind: "vehicle", data: { ...told, properties: { ...told.properties, link: "lost" } } });
  }
  await pass(1000);
  expect(alarms(watch).toSorted()).toEqual(["link_lost erased", "link_lost landed"]);
  const { live: _, ...properties } = vehicle("landed", 0).properties;
  lists.of = (kind) => (kind === "vehicles" ? [{ ...vehicle("landed", 0), properties }] : []);
  stream?.back();
  await pass(1000);
  expect([...watch.vehicles.all.value.values()].map(({ id, live }) => [id, live])).toEqual([["landed", null]]);
  expect(watch.history("erased")).toBeUndefined();
  expect(watch.alarms.list.value.map(({ holds }) => holds)).toEqual([false, false]);
});

it.each(["the clock of the page", "what is read anew"])(
  "a page that slept for an hour says who was well before and is not heard now, by %s",
  async (by) => {
    const watch = await begin();
    const tell = (id: string, ms: number, stale = false) => {
      const told = vehicle(id, ms);
      told.properties.live.stale = stale;
      return told;
    };
    streams.get("/vehicles/stream")?.tell({ kind: "vehicle", data: tell("heron", 0) });
    streams.get("/vehicles/stream")?.tell({ kind: "vehicle", data: tell("old", -3600_000, true) });
    await pass(1000);
    expect(alarms(watch)).toEqual([]);
    vi.setSystemTime(NOON + 3600_000); // no timer ran meanwhile
    if (by === "what is read anew") {
      lists.of = (kind) => (kind === "vehicles" ? [tell("heron", 0, true), tell("old", -3600_000, true)] : []);
      streams.get("/vehicles/stream")?.back();
    }
    await pass(1000);
    expect(alarms(watch)).toEqual(["stale heron"]);
    await pass(60_000);
    expect(watch.alarms.list.value.map((each) => each.holds)).toEqual([true]);
  },
);

it("it is no longer young than the service says, though it came late", async () => {
  skewS.value = 0;
  const watch = await begin();
  streams.get("/vehicles/stream")?.tell({ kind: "vehicle", data: vehicle("heron", -25_000) });
  await pass(4000);
  expect(alarms(watch)).toEqual([]);
  await pass(2000);
  expect(alarms(watch)).toEqual(["stale heron"]);
});

it.each([
  ["in time", 1000, [[], ["c"]]],
  ["late", 3000, [["c"], ["c", "c"]]],
] as const)("what comes while the stream is being opened is read once it is there: %s", async (_, ms, wanted) => {
  page.opening = true;
  const read: string[] = [];
  lists.of = (kind, query) => {
    if (kind === "crossings" && query?.from !== undefined) read.push("c");
    return [];
  };
  await begin();
  await pass(ms);
  const before = [...read];
  const stream = streams.get("/events/stream");
  if (stream !== undefined) stream.connection.value = "live";
  await pass(60_000);
  expect([before, read]).toEqual(wanted);
});

it("what was there before a first reading that failed is no news, and it is read again", async () => {
  let away = true;
  lists.of = (kind) => {
    if (away) throw new Error("away");
    return kind === "crossings" ? [crossing("a"), crossing("b", -3 * 3600_000)] : [];
  };
  const watch = await begin();
  away = false;
  await pass(6000);
  expect([watch.crossings.all.value.size, alarms(watch)]).toEqual([2, []]);
});

it.each([
  ["/events/stream", []],
  ["/records/stream", ["event.read"]],
])("what comes after it is news, and not too much of it: by %s", async (path, without) => {
  for (const permission of without) page.forbidden.add(permission);
  const watch = await begin();
  lists.of = (kind) => (kind === "crossings" ? Array.from({ length: 3000 }, (_, n) => crossing(`c${n}`, -n)) : []);
  streams.get(path)?.back();
  await pass(1000);
  expect(watch.crossings.all.value.size).toBe(3000);
  expect(alarms(watch)).toHaveLength(100);
  expect(alarms(watch)).toContain("crossing c0");
});

it("who may not read the log hears by the stream of records, and of what is not new without alarm", async () => {
  page.forbidden.add("event.read");
  let asked = 0;
  const watch = await begin();
  lists.of = () => {
    asked += 1;
    return [];
  };
  const stream = streams.get("/records/stream");
  const told = (id: string, isNew: boolean): Told => ({
    kind: "record",
    data: { record_type: "crossing", record_id: id, new: isNew, feature: crossing(id) },
  });
  for (const [id, isNew] of [["new", true], ["old", false], ["brief", true]] as const) stream?.tell(told(id, isNew)); // biome-ignore format: a row
  stream?.tell({ kind: "gone", data: { record_type: "crossing", record_id: "brief" } });
  stream?.tell({ kind: "launch", data: { id: "x" } });
  await pass(3600_000);
  expect([alarms(watch), [...watch.crossings.all.value.keys()], asked]).toEqual([["crossing new"], ["new", "old"], 0]);
});

it.each([
  [null, ["crossing new"]],
  ["neighbour", ["crossing released", "crossing new"]],
])("what is released is news to partners alone: %s", async (partner, wanted) => {
  page.partner = partner;
  const watch = await begin();
  const stream = streams.get("/events/stream");
  stream?.tell(event("record.created", crossing("new")));
  stream?.tell(event("release.created", crossing("released")));
  await pass(1000);
  expect(alarms(watch).toSorted()).toEqual(wanted.toSorted());
  expect(watch.crossings.all.value.size).toBe(2);
});

it("what is older than a day goes", async () => {
  const watch = await begin();
  streams.get("/events/stream")?.tell(event("record.created", crossing("old", -23 * 3600_000)));
  streams.get("/events/stream")?.tell(event("record.created", crossing("young")));
  await pass(2 * 3600_000);
  expect([...watch.crossings.all.value.keys()]).toEqual(["young"]);
});

it.each([
  ["dismissed", event("crossing.reviewed", crossing("a", 0, "dismissed")), 1],
  ["merged", event("crossing.merged", crossing("a", 0, "merged")), 1],
  ["erased", event("record.erased", crossing("a"), false), 0],
  ["recalled", event("release.recalled", crossing("a"), false), 0],
])("nobody is alarmed by a crossing that was %s", async (_, told, left) => {
  const watch = await begin();
  const stream = streams.get("/events/stream");
  stream?.tell(event("record.created", crossing("a")));
  stream?.tell(event("crossing.reviewed", crossing("a", 0, "confirmed")));
  await pass(1000);
  expect(alarms(watch)).toEqual(["crossing a"]);
  stream?.tell(told);
  await pass(1000);
  expect([alarms(watch), watch.crossings.all.value.size]).toEqual([[], left]);
});

it("what was judged or taken back while the line was cut is noticed, and what came meanwhile stays", async () => {
  const watch = await begin();
  const stream = streams.get("/events/stream");
  for (const id of ["off", "gone", "left", "erased"]) stream?.tell(event("record.created", crossing(id)));
  await pass(1000);
  lists.of = (kind) => {
    if (kind !== "crossings") return [];
    stream?.tell(event("record.created", crossing("new"))); // told while the list, which has it not, is on its way
    stream?.tell(event("record.erased", crossing("erased"), false)); // and the other way round
    return [crossing("off", 0, "dismissed"), crossing("left"), crossing("erased")];
  };
  stream?.back();
  await pass(1000);
  expect(alarms(watch).toSorted()).toEqual(["crossing left", "crossing new"]);
  expect([...watch.crossings.all.value.keys()].toSorted()).toEqual(["left", "new", "off"]);
});

it("a vehicle that was across is so though nothing is told of it any more, save to a partner", async () => {
  lists.of = (kind) =>
    kind === "segments"
      ? [
          {
            id: "b",
            geometry: {
              type: "LineString",
              coordinates: [
                [9.9, 45.001],
                [10.1, 45.001],
              ],
            },
            properties: { own_side: "left" },
          },
        ]
      : [];
  for (const partner of [null, "neighbour"]) {
    page.partner = partner;
    const watch = await begin();
    const stream = streams.get("/vehicles/stream");
    stream?.tell({ kind: "vehicle", data: vehicle("heron", 0) });
    await pass(1000);
    expect(alarms(watch)).toEqual(["across heron"]);
    stream?.tell({ kind: "gone", data: { id: "heron" } });
    await pass(1000);
    expect(watch.alarms.list.value.map((each) => each.holds)).toEqual([partner === null]);
    end();
  }
});
