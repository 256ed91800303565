import { beforeEach, expect, it, vi } from "vitest";
import { Problem } from "../../api/problem";
import { Orders, type Wish } from "./orders";
import type { Vehicle } from "./records";

const service = vi.hoisted(() => ({ POST: vi.fn(), GET: vi.fn() }));
const heard = vi.hoisted(() => ({ tell: (_: { kind: string; data: unknown }) => {} }));
vi.mock("../../app/session", () => ({ may: () => true }));
vi.mock("../../i18n", () => ({ t: (word: string, values = {}) => [word, ...Object.values(values)].join(" ") }));
vi.mock("../../api/client", () => ({ service, dataOf: ({ data }: { data: unknown }) => data }));
vi.mock("../../api/events", () => ({
  Stream: class {
    listen(listener: typeof heard.tell) {
      heard.tell = listener;
      return () => undefined;
    }
  },
}));

const NOON = Date.UTC(2026, 0, 1, 12);
const heron = { id: "1", source: "s", sourceId: "heron" } as Vehicle;

function order(state: string, second: number, more = {}) {
  const changed = `2026-01-01T12:00:${String(second).padStart(2, "0")}.000000Z`;
  return { id: "o", vehicle: { id: "1" }, kind: "pause", state, changed, given: changed, left_s: 30, ...more };
}

let orders: Orders;
const stateOf = () => orders.lastOf("1")?.state;
const names = () => service.POST.mock.calls.map(([, { body }]) => body.client_id);

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  service.POST.mockReset();
  service.GET.mockReset();
  orders = new Orders();
  orders.open();
});

it("what overtakes a newer word changes nothing", () => {
  for (const each of [order("taken", 2), order("given", 1)]) heard.tell({ kind: "order", data: each });
  expect(stateOf()).toBe("taken");
  heard.tell({ kind: "order", data: order("done", 3) });
  expect(stateOf()).toBe("done");
});

it("what has expired does not come back by an answer that was on its way", () => {
  // As the service tells it: that an order's time is over changes nothing but its state.
  for (const each of [order("given", 1), order("expired", 1), order("given", 1)])
    heard.tell({ kind: "order", data: each });
  expect(stateOf()).toBe("expired");
});

it("an order without an answer keeps its name, whoever begins it anew, as long as it may count", async () => {
  const give = (wish: Wish) => orders.give(wish).catch(() => undefined);
  service.POST.mockRejectedValue(new Problem(0, "the service cannot be reached"));
  await give(orders.wish(heron, "pause"));
  await give(orders.wish(heron, "pause"));
  await give(orders.wish(heron, "land"));
  expect(new Set(names()).size).toBe(2);
  expect(names()[0]).toBe(names()[1]);
  vi.setSystemTime(NOON + 60_000);
  await give(orders.wish(heron, "pause")); // the first has expired, if it ever came
  expect(names()[3]).not.toBe(names()[0]);
});

it.each(["done", "refused", "withdrawn", "failed", "expired"])(
  "an order whose answer was lost is another one once it is heard that it was %s",
  async (state) => {
    service.POST.mockRejectedValueOnce(new Problem(0, "the service cannot be reached"));
    const first = orders.wish(heron, "pause");
    await orders.give(first).catch(() => undefined);
    heard.tell({ kind: "order", data: order("taken", 1, { client_id: first.clientId }) });
    expect(orders.wish(heron, "pause").clientId).toBe(first.clientId);
    heard.tell({ kind: "order", data: order(state, 2, { client_id: first.clientId }) });
    expect(orders.wish(heron, "pause").clientId).not.toBe(first.clientId);
  },
);

it("what is sent again and has ended meanwhile is said not to be given", async () => {
  const wish = orders.wish(heron, "pause");
  expect(orders.isOver(wish)).toBe(false);
  service.POST.mockResolvedValue({ data: order("refused", 2, { client_id: wish.clientId }) });
  await expect(orders.give(wish)).rejects.toThrow("fly.ended_before fly.order_state_refused");
  expect(stateOf()).toBe("refused");
  expect(orders.isOver(wish)).toBe(true);
  const next = orders.wish(heron, "pause");
  expect(next.clientId).not.toBe(wish.clientId);
  expect(orders.isOver(next)).toBe(false);
});

it.each([
  ["taken", () => service.POST.mockResolvedValue({ data: order("given", 1) })],
  ["refused", () => service.POST.mockRejectedValue(new Problem(409, "it does not fly"))],
])("the next order is another one when the first was %s", async (_, answer) => {
  answer();
  for (let n = 0; n < 2; n += 1) await orders.give(orders.wish(heron, "pause")).catch(() => undefined);
  expect(new Set(names()).size).toBe(2);
});

it("a place is another order than the place beside it", () => {
  service.POST.mockRejectedValue(new Problem(0, ""));
  const first = orders.wish(heron, "dispatch", { at: [10, 45], cue: null });
  orders.give(first).catch(() => undefined);
  expect(orders.wish(heron, "dispatch", { at: [10, 45], cue: null }).clientId).toBe(first.clientId);
  expect(orders.wish(heron, "dispatch", { at: [10, 45.1], cue: null }).clientId).not.toBe(first.clientId);
});
