import { signal } from "@preact/signals";
import { afterEach, expect, test, vi } from "vitest";

const line = vi.hoisted(() => ({
  connection: { value: "none" },
  read: [] as string[],
  slowMs: 0,
  tell: (_: unknown): void => undefined,
}));

vi.mock("../../api/events", () => ({
  Stream: class {
    readonly connection = signal("none");
    readonly heard = signal(null);
    constructor() {
      line.connection = this.connection;
    }
    listen(tell: (told: unknown) => void) {
      line.tell = tell;
      if (this.connection.value !== "live") this.connection.value = "opening";
      return () => undefined;
    }
  },
}));
vi.mock("../../app/session", () => ({ may: () => true }));
vi.mock("../../ui/failure", () => ({ report: () => undefined }));
vi.mock("./desk", () => ({ chosen: signal(null), outbox: signal(null) }));
vi.mock("./details", () => ({
  forgetAhead: () => undefined,
  open: signal(null),
  readAgain: async () => line.read.push("open"),
}));
vi.mock("./worklist", () => ({
  change: () => undefined,
  load: async () => {
    line.read.push("list");
    await new Promise((done) => setTimeout(done, line.slowMs));
  },
}));

afterEach(() => {
  line.read = [];
  line.slowMs = 0;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the list is read again once the stream is there, for what came between; not where it was there all along", async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  const { follow } = await import("./follow");
  const stop = follow();
  await vi.advanceTimersByTimeAsync(5000);
  expect(line.read).toEqual([]);
  line.connection.value = "live";
  await vi.advanceTimersByTimeAsync(5000);
  expect(line.read.toSorted()).toEqual(["list", "open"]);
  stop();
  follow()();
  await vi.advanceTimersByTimeAsync(5000);
  expect(line.read).toHaveLength(2);
});

test("over a slow line the list is read by one reading after another, with room between them, and to its end", async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  const { follow } = await import("./follow");
  line.slowMs = 5000;
  const stop = follow();
  for (let second = 0; second < 100; second += 1) {
    line.tell({ kind: "crossing.claimed", data: { record_id: "a", record_type: "crossing" } });
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(line.read.length).toBeGreaterThanOrEqual(4); // every 25 s
  expect(line.read.length).toBeLessThanOrEqual(5);
  await vi.advanceTimersByTimeAsync(30_000);
  const read = line.read.length; // what came last was read too
  await vi.advanceTimersByTimeAsync(60_000);
  expect(line.read).toHaveLength(read);
  stop();
});
