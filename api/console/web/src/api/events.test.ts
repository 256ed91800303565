import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Stream, Told } from "./events";
import type { State } from "./line";

const session = vi.hoisted(() => ({
  look: vi.fn<() => Promise<void>>(),
  person: { peek: () => ({ account_id: "me" }) },
}));
const client = vi.hoisted(() => ({ admitted: null as unknown as { value: boolean } }));
vi.mock("../app/session", () => session);
vi.mock("./client", () => client);
vi.mock("./hub.worker?sharedworker&url", () => ({ default: "/hub.js" }));

/** Connections that a hub opened, worker's or page's own, with who follows them. */
const lines = vi.hoisted(
  () =>
    [] as {
      path: string;
      open: boolean;
      again: number;
      stand: (state: State) => void;
      tell: (kind: string, data: unknown) => void;
    }[],
);
vi.mock("./line", () => ({
  Line: class {
    state: State = { standing: "opening", heard: null };
    readonly #of: (typeof lines)[number];
    constructor(
      path: string,
      _: string,
      follower: { told: (events: unknown) => void; stands: (state: State) => void },
    ) {
      this.#of = {
        path,
        open: true,
        again: 0,
        stand: (state) => {
          this.state = state;
          follower.stands(state);
        },
        tell: (kind, data) => void follower.told([{ kind, data: JSON.stringify(data) }]),
      };
      lines.push(this.#of);
    }
    again() {
      this.#of.again += 1;
    }
    close() {
      this.#of.open = false;
    }
  },
}));

/** The browser: a worker of each name, shared by all pages. */
const workers = new Map<string, { join: (port: MessagePort) => void }>();
let broken = false;

/** What the pages wait for of their browser, each page's in its order. */
const waited = new Map<string, ((event: { persisted: boolean }) => void)[]>();

/** Another page of the same browser: the module anew, with the same workers. */
async function page(): Promise<typeof import("./events")> {
  vi.resetModules();
  return import("./events");
}

/** Messages of ports come one turn of the loop after another. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}
const open = () => lines.filter((each) => each.open);
const live = (heard = 1): State => ({ standing: "live", heard });

beforeEach(async () => {
  const { Hub } = await import("./hub");
  workers.clear();
  lines.length = 0;
  broken = false;
  client.admitted = signal(true);
  session.look.mockReset().mockResolvedValue();
  waited.clear();
  vi.stubGlobal("addEventListener", (name: string, act: () => void) => {
    waited.set(name, [...(waited.get(name) ?? []), act]);
  });
  vi.stubGlobal(
    "SharedWorker",
    class {
      readonly port: MessagePort;
      onerror: () => void = () => undefined;
      constructor(_: string, { name }: { name: string }) {
        const { port1, port2 } = new MessageChannel();
        this.port = port1;
        if (broken) setTimeout(() => this.onerror(), 0);
        else {
          const hub = workers.get(name) ?? new Hub(name);
          workers.set(name, hub);
          hub.join(port2);
        }
      }
    },
  );
});

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function listen(stream: Stream): { told: Told[]; back: ReturnType<typeof vi.fn<() => void>>; end: () => void } {
  const told: Told[] = [];
  const back = vi.fn<() => void>();
  const end = stream.listen((each) => told.push(each), back);
  ends.push(end);
  return { told, back, end };
}

it("is one connection for all pages and their parts, each told of what it wants", async () => {
  const [one, other] = [await page(), await page()];
  const first = listen(new one.Stream("/a", ["cue"]));
  const second = listen(new one.Stream("/a", ["order", "cue"]));
  const third = listen(new other.Stream("/a", ["order"]));
  await settle();
  lines[0]?.stand(live());
  lines[0]?.tell("cue", 1);
  lines[0]?.tell("order", 2);
  await settle();
  expect(lines).toHaveLength(1);
  expect([first.told, second.told, third.told]).toEqual([
    [{ kind: "cue", data: 1 }],
    [
      { kind: "cue", data: 1 },
      { kind: "order", data: 2 },
    ],
    [{ kind: "order", data: 2 }],
  ]);
  first.end();
  second.end();
  await settle();
  expect(open()).toHaveLength(1);
  third.end();
  await settle();
  expect(open()).toHaveLength(0);
});

it("a page that comes later is told how the line stands, and is not told to read again what it reads now", async () => {
  const [one, other] = [await page(), await page()];
  listen(new one.Stream("/a", ["cue"]));
  await settle();
  lines[0]?.stand(live());
  const later = new other.Stream("/a", ["cue"]);
  const { back } = listen(later);
  await settle();
  expect([later.connection.value, back.mock.calls.length]).toEqual(["live", 0]);
  lines[0]?.stand({ standing: "silent", heard: 7 });
  await settle();
  expect([later.connection.value, later.heard.value]).toEqual(["silent", 7]);
  lines[0]?.stand(live());
  await settle();
  expect([later.connection.value, back.mock.calls.length]).toEqual(["live", 1]);
});

it.each(["opening", "lost", "silent"] as const)("what a page read before a cut is read again: %s", async (standing) => {
  const { Stream } = await page();
  const { back } = listen(new Stream("/a", ["cue"]));
  await settle();
  lines[0]?.stand(live());
  lines[0]?.stand({ standing, heard: 1 });
  lines[0]?.stand(live());
  await settle();
  expect(back).toHaveBeenCalledTimes(1);
});

it("what a page missed that was left and comes back is read, though the line was kept by another page", async () => {
  const [one, other] = [await page(), await page()];
  const left = listen(new one.Stream("/a", ["cue"]));
  const stays = listen(new other.Stream("/a", ["cue"]));
  await settle();
  lines[0]?.stand(live());
  await settle();
  waited.get("pagehide")?.[0]?.({ persisted: true });
  await settle();
  lines[0]?.tell("cue", 1);
  await settle();
  waited.get("pageshow")?.[0]?.({ persisted: true });
  await settle();
  expect([left, stays].map(({ told, back }) => [told.length, back.mock.calls.length])).toEqual([
    [0, 1],
    [1, 0],
  ]);
});

it("goes on when somebody is back whose session had ended, and asks once whether it has", async () => {
  session.look.mockImplementation(async () => {
    client.admitted.value = false;
    throw new Error("the session has ended");
  });
  const stream = new (await page()).Stream("/a", ["cue"]);
  listen(stream);
  await settle();
  lines[0]?.stand({ standing: "refused", heard: null });
  await settle();
  expect([stream.connection.value, session.look.mock.calls.length, lines[0]?.again]).toEqual(["lost", 1, 0]);
  client.admitted.value = true;
  await settle();
  expect(lines[0]?.again).toBe(1);
});

it.each(["is missing", "fails"])("a page helps itself where the shared worker %s", async (how) => {
  if (how === "fails") broken = true;
  else vi.stubGlobal("SharedWorker", undefined);
  const stream = new (await page()).Stream("/a", ["cue"]);
  const { told } = listen(stream);
  await settle();
  open()[0]?.stand(live());
  open()[0]?.tell("cue", 1);
  await settle();
  expect([stream.connection.value, told, open().length]).toEqual(["live", [{ kind: "cue", data: 1 }], 1]);
});
