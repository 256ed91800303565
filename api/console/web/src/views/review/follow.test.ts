import { signal } from "@preact/signals";
import { afterEach, expect, test, vi } from "vitest";

const line = vi.hoisted(() => ({ connection: { value: "none" }, read: [] as string[] }));

vi.mock("../../api/events", () => ({
  Stream: class {
    readonly connection = signal("none");
    readonly heard = signal(null);
    constructor() {
      line.connection = this.connection;
    }
    listen() {
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
vi.mock("./worklist", () => ({ change: () => undefined, load: async () => line.read.push("list") }));

afterEach(() => {
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
