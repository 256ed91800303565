import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Line } from "./line";

/** The service's end of one connection. */
class Connection {
  static all: Connection[] = [];
  readonly headers: Headers;
  readonly signal: AbortSignal | null;
  #answer: (response: Response) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(init: RequestInit) {
    this.headers = new Headers(init.headers);
    this.signal = init.signal ?? null;
    this.signal?.addEventListener("abort", () => {
      this.#fail(new Error("aborted"));
      this.#body?.error(new Error("aborted"));
    });
    Connection.all.push(this);
  }

  static get last(): Connection {
    return Connection.all.at(-1) ?? new Connection({});
  }

  answer(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
  }

  async open(account = "me", beat = "15"): Promise<void> {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
      },
    });
    const headers = { "Content-Type": "text/event-stream", "X-Vedette-Account": account, "X-Vedette-Heartbeat": beat };
    this.#answer(new Response(body, { headers }));
    await pass(0);
  }

  async refuse(status: number, type = "application/problem+json"): Promise<void> {
    this.#answer(new Response("{}", { status, headers: { "Content-Type": type } }));
    await pass(0);
  }

  async tell(text: string): Promise<void> {
    this.#body?.enqueue(new TextEncoder().encode(text));
    await pass(0);
  }

  async end(): Promise<void> {
    this.#body?.close();
    await pass(0);
  }

  async fail(): Promise<void> {
    this.#fail(new TypeError("failed"));
    await pass(0);
  }
}

const NOON = Date.UTC(2026, 0, 1, 12);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
let line: Line;
let told: string[];
let stood: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => new Connection(init).answer());
  Connection.all = [];
  told = [];
  stood = [];
  line = new Line("/events/stream", "me", {
    told: (events) => void told.push(...events.map(({ data }) => data)),
    stands: ({ standing }) => void stood.push(standing),
  });
});

afterEach(() => {
  line.close();
  vi.useRealTimers();
});

it("tells what comes, and resumes after a cut where it was", async () => {
  await Connection.last.open();
  await Connection.last.tell("id: 41\ndata: a\n\nid: 4");
  await Connection.last.tell("2\ndata: b\n\nid: 43\ndata: half");
  await Connection.last.end();
  expect([told, stood]).toEqual([
    ["a", "b"],
    ["live", "lost"],
  ]);
  await pass(2000);
  expect(Connection.last.headers.get("Last-Event-ID")).toBe("42");
});

it("is silent when nothing comes for two heartbeats, says since when, and tries another connection", async () => {
  await Connection.last.open("me", "4");
  for (let beat = 0; beat < 5; beat += 1) {
    await pass(7000);
    await Connection.last.tell(": ping\n\n"); // a sign of life, late as it is
  }
  expect(stood).toEqual(["live"]);
  await pass(8999);
  expect(stood).toEqual(["live"]);
  await pass(1);
  expect(line.state).toEqual({ standing: "silent", heard: NOON + 35_000 });
  expect(Connection.last.signal?.aborted).toBe(true);
  await pass(2000); // the next is not even answered: as silent as before
  expect(Connection.all).toHaveLength(2);
  await pass(10_000);
  expect(line.state).toEqual({ standing: "silent", heard: NOON + 35_000 });
  await pass(2000);
  await Connection.last.open("me", "4");
  expect(line.state.standing).toBe("live");
});

it("is lost, not silent, where it was never heard or the service is not there", async () => {
  await pass(10_000);
  expect(line.state).toEqual({ standing: "lost", heard: null });
  await pass(2000);
  await Connection.last.open();
  await Connection.last.end();
  await pass(2000);
  await Connection.last.fail();
  expect(line.state.standing).toBe("lost");
});

it.each(["stopping", "slow"])("comes back without alarm when the service takes its leave: %s", async (reason) => {
  await Connection.last.open();
  await Connection.last.tell(`event: bye\ndata: {"reason":"${reason}"}\n\n`);
  await Connection.last.end();
  expect(stood).toEqual(["live", "opening"]);
  await pass(2000);
  await Connection.last.refuse(503); // it is not there yet: now it is lost
  expect(line.state.standing).toBe("lost");
});

it.each([401, 403, "another's", "revoked"])("asks no more until it is told to where it is refused: %s", async (why) => {
  if (typeof why === "number") await Connection.last.refuse(why);
  else await Connection.last.open(why === "another's" ? "other" : "me");
  await Connection.last.tell("data: secret of another\n\n").catch(() => undefined);
  if (why === "revoked") {
    told = [];
    await Connection.last.tell('event: bye\ndata: {"reason":"revoked"}\n\n');
    await Connection.last.end();
  }
  expect([line.state.standing, told]).toEqual(["refused", []]);
  await pass(600_000);
  expect(Connection.all).toHaveLength(1);
  line.again();
  await pass(2000);
  expect(Connection.all).toHaveLength(2);
});

it("begins from now on where the service does not know its number any more", async () => {
  await Connection.last.open();
  await Connection.last.tell("id: 41\ndata: a\n\n");
  await Connection.last.end();
  await pass(2000);
  await Connection.last.refuse(422);
  await pass(2000);
  expect(Connection.last.headers.get("Last-Event-ID")).toBe(null);
});

it("asks for nothing once it is closed", async () => {
  await Connection.last.open();
  line.close();
  await pass(600_000);
  expect(Connection.all).toHaveLength(1);
  expect(Connection.last.signal?.aborted).toBe(true);
});

it("asks on where a proxy in between refuses: that is no word of the service", async () => {
  await Connection.last.refuse(403, "text/html");
  expect(line.state.standing).toBe("lost");
  await pass(60_000);
  expect(Connection.all.length).toBeGreaterThan(1);
});
