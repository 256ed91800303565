import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { guarded } from "../../app/store";
import { Outbox, type Outcome } from "./outbox";
import { readVerdicts, send } from "./post";

const now = vi.hoisted(() => {
  vi.stubGlobal("location", { origin: "http://service" });
  return { limits: [] as { ms: number; end: () => void }[] };
});
const sent: (string | null)[] = [];
const json = (body: unknown, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const verdict = { verdict: "confirm", reason: null, category: null } as const;

/** A service that records the verdict and never answers; after that it answers. */
function deaf({ url, method, headers, signal }: Request): Promise<Response> {
  if (method === "GET") {
    const mine = { ...verdict, reviewer: "Ana", reviewer_key: "ana", revision: 1, time: "" };
    const feature = { id: "a", geometry: null, properties: { review: { state: "confirmed" } } };
    return Promise.resolve(url.endsWith("/reviews") ? json([mine]) : json(feature, 200, { ETag: '"1-1"' }));
  }
  sent.push(headers.get("If-Match"));
  const stale = { type: "urn:vedette:problem:stale", detail: "it has changed" };
  const head = { "Content-Type": "application/problem+json" };
  if (sent.length > 1) return Promise.resolve(json(stale, 412, head));
  return new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason)));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", deaf);
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const over = new AbortController();
    now.limits.push({ ms, end: () => over.abort(new DOMException("", "TimeoutError")) });
    return over.signal;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a verdict that was recorded and never answered is asked after in time, and is there once", async () => {
  const outcomes: Outcome[] = [];
  const post = { who: () => "ana", clear: () => Promise.resolve(), send, read: readVerdicts };
  const store = guarded(() => {
    throw new DOMException("denied", "SecurityError");
  });
  const box = new Outbox("ana", post, store, (_, outcome) => outcomes.push(outcome), new Set());
  box.give("a", '"1-0"', 0, verdict);
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(now.limits.map(({ ms }) => ms)).toEqual([10_000]);
  now.limits[0]?.end();
  await vi.waitFor(() => expect(box.waiting.value[0]?.away).toBe(true));
  await vi.advanceTimersByTimeAsync(1000);
  await vi.waitFor(() => expect(outcomes).toEqual([{ kind: "taken", state: "confirmed", etag: '"1-1"' }]));
  expect([sent, box.waiting.value]).toEqual([['"1-0"', '"1-0"'], []]);
});
