import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { follow } from "./picture";

const service = vi.hoisted(() => ({ ask: vi.fn() }));
vi.mock("../../api/client", () => service);

const page = { hidden: false };
const answer = (etag: string) => new Response("grey", { headers: { ETag: etag } });
/** A line that takes everything and says nothing, until who asked calls it off. */
const silence = (_: string, { signal }: { signal: AbortSignal }) =>
  new Promise((_yes, no) => signal.addEventListener("abort", () => no(signal.reason)));

let shown: string[];
let end: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  // Its clock is not the one that tests turn.
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const late = new AbortController();
    setTimeout(() => late.abort(), ms);
    return late.signal;
  });
  vi.stubGlobal("document", page);
  page.hidden = false;
  shown = [];
  service.ask.mockReset().mockImplementation(async () => answer("1"));
  end = follow("cam", (picture, old) => shown.push(`${picture?.etag} ${old ? "old" : "new"}`));
});

afterEach(() => {
  end();
  vi.useRealTimers();
});

it("a picture is old when no answer comes, and new with the next, for which nobody waits long", async () => {
  await vi.advanceTimersByTimeAsync(500);
  expect(shown).toEqual(["1 new"]);
  service.ask.mockImplementation(silence);
  await vi.advanceTimersByTimeAsync(9000);
  expect(shown.at(-1)).toBe("1 new");
  await vi.advanceTimersByTimeAsync(2000);
  expect(shown.at(-1)).toBe("1 old");
  service.ask.mockImplementation(async () => answer("2"));
  await vi.advanceTimersByTimeAsync(6000);
  expect(shown.at(-1)).toBe("2 new");
});

it("it grows old while nobody can see it, and nothing is asked for", async () => {
  await vi.advanceTimersByTimeAsync(500);
  page.hidden = true;
  const asked = service.ask.mock.calls.length;
  await vi.advanceTimersByTimeAsync(12_000);
  expect(service.ask.mock.calls.length).toBe(asked);
  expect(shown.at(-1)).toBe("1 old");
});
