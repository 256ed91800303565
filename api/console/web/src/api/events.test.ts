import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Stream, type Told } from "./events";
import { Problem } from "./problem";

const service = vi.hoisted(() => ({ ask: vi.fn(), admitted: null as unknown as { value: boolean } }));
vi.mock("./client", () => service);

/** A browser's end of a stream, of which a test is the other end. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static all: Source[] = [];
  onopen: () => void = () => undefined;
  onerror: () => void = () => undefined;
  readyState = 0;

  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }

  static get last(): Source {
    return Source.all.at(-1) ?? new Source("none");
  }

  tell(kind: string, data: unknown, lastEventId = ""): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId }));
  }

  fail(forGood: boolean): void {
    this.readyState = forGood ? Source.CLOSED : 0;
    this.onerror();
  }

  close(): void {
    this.readyState = Source.CLOSED;
  }
}

let path = 0;
let stream: Stream;
let told: Told[];
let back: ReturnType<typeof vi.fn<() => void>>;
const ends: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.all = [];
  service.admitted = signal(true);
  service.ask.mockReset().mockResolvedValue(null);
  path += 1;
  stream = new Stream(`/${path}`, ["cue"]);
  told = [];
  back = vi.fn<() => void>();
  ends.push(stream.listen((each) => told.push(each), back));
  Source.last.onopen();
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.useRealTimers();
});

it("is one connection for all parts of a page, each told of what it wants", () => {
  const other: string[] = [];
  ends.push(new Stream(`/${path}`, ["order", "cue"]).listen(({ kind }) => other.push(kind)));
  Source.last.tell("cue", 1);
  Source.last.tell("order", 2);
  expect(told).toEqual([{ kind: "cue", data: 1 }]);
  expect(other).toEqual(["cue", "order"]);
  ends.pop()?.();
  expect(Source.all.map((each) => each.readyState)).toEqual([0]);
  ends.pop()?.();
  expect(Source.all.map((each) => each.readyState)).toEqual([2]);
});

it("ends a session that has ended, and goes on when somebody is back, asking for nothing meanwhile", async () => {
  service.ask.mockImplementation(async () => {
    service.admitted.value = false;
    throw new Problem(401, "the session has ended");
  });
  Source.last.fail(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(service.ask).toHaveBeenCalledTimes(1);
  expect(Source.all).toHaveLength(1);
  expect(stream.connection.value).toBe("lost");
  service.admitted.value = true;
  await vi.advanceTimersByTimeAsync(0);
  Source.last.onopen();
  expect(Source.all).toHaveLength(2);
  expect([stream.connection.value, back.mock.calls.length]).toEqual(["live", 1]);
});

it("is asked for again after an answer that is no stream, from where it was", async () => {
  service.ask.mockRejectedValue(new Problem(0, "the service cannot be reached"));
  Source.last.tell("cue", 1, "41");
  Source.last.fail(true);
  await vi.advanceTimersByTimeAsync(2000);
  expect(Source.last.url).toBe(`/${path}?after=41`);
  Source.last.fail(true); // as for a number that it does not know
  await vi.advanceTimersByTimeAsync(2000);
  expect(Source.last.url).toBe(`/${path}`);
  Source.last.onopen();
  expect(back).toHaveBeenCalledTimes(1);
});

it.each(["stopping", "slow"])("comes back without alarm when the service takes its leave: %s", (reason) => {
  Source.last.tell("bye", { reason });
  Source.last.fail(false);
  expect(stream.connection.value).toBe("opening");
  Source.last.fail(false); // it is not there yet: now it is lost
  expect(stream.connection.value).toBe("lost");
  Source.last.onopen();
  expect([stream.connection.value, back.mock.calls.length]).toEqual(["live", 1]);
});

it("asks at once whether the session stands when it is told that it does not", async () => {
  Source.last.tell("bye", { reason: "revoked" });
  expect(stream.connection.value).toBe("lost");
  expect(service.ask).toHaveBeenCalledTimes(1);
  expect(Source.all[0]?.readyState).toBe(Source.CLOSED); // the browser is not to knock by itself
  await vi.advanceTimersByTimeAsync(2000);
  expect(Source.all).toHaveLength(2);
});
