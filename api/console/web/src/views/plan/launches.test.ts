import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";
import { failureOf, give, hasArrived, isUnanswered, type Launch, readNewest, type Wish } from "./launches";

const service = vi.hoisted(() => ({ POST: vi.fn(), GET: vi.fn() }));
vi.mock("../../i18n", () => ({ t: (word: string, values = {}) => [word, ...Object.values(values)].join(" ") }));
vi.mock("../../api/client", () => ({
  service,
  admitted: { peek: () => true },
  dataOf: ({ data }: { data: unknown }) => data,
}));

let count = 0;
let wish: Wish;
const names = () => service.POST.mock.calls.map(([, { body }]): string => body.client_id);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12) });
  service.POST.mockReset();
  service.GET.mockReset();
  count += 1;
  wish = { station: "hill", planning_id: String(count), checklist: [], hours: null, reason: null };
});

function launch(state: Launch["state"], client_id: string, second: number): Launch {
  const at = `2026-01-01T12:00:0${second}.000000Z`;
  return { id: wish.planning_id, planning_id: wish.planning_id, client_id, state, changed_at: at } as Launch;
}

async function lose(): Promise<string> {
  service.POST.mockRejectedValueOnce(new Problem(0, "the service cannot be reached"));
  await give(wish).catch(() => undefined);
  return names().at(-1) ?? "";
}

async function hear(state: Launch["state"], name: string, second: number): Promise<void> {
  service.GET.mockResolvedValueOnce({ data: [launch(state, name, second)] });
  await readNewest();
}

test.each<Launch["state"]>(["done", "refused", "withdrawn", "failed", "expired"])(
  "a launch whose answer was lost is another one once it is heard that it was %s",
  async (state) => {
    const name = await lose();
    await hear("accepted", name, 1);
    expect([isUnanswered(wish), hasArrived(wish)]).toEqual([true, true]);
    await hear(state, name, 2);
    expect([isUnanswered(wish), hasArrived(wish)]).toEqual([false, true]);
    expect(await lose()).not.toBe(name);
    expect([isUnanswered(wish), hasArrived(wish)]).toEqual([true, false]);
  },
);

test("what is sent again and has ended meanwhile is said not to be given", async () => {
  const name = await lose();
  service.POST.mockResolvedValueOnce({ data: launch("expired", name, 1) });
  await expect(give(wish)).rejects.toThrow("plan.ended_before plan.state_of_expired");
  expect(names()).toEqual([name, name]);
  expect(await lose()).not.toBe(name);
});

test.each<[string, Error, boolean]>([
  ["an answer that is cut while it is read", new TypeError("network error"), true],
  ["an answer that comes too late to be read", new DOMException("signal timed out", "TimeoutError"), true],
  ["no answer", new Problem(0, "the service cannot be reached"), true],
  ["a fault of the service", new Problem(503, "it starts"), true],
  ["a refusal", new Problem(409, "it flies already"), false],
])("whether a launch may have been given after %s", async (_, thrown, open) => {
  service.POST.mockRejectedValueOnce(thrown);
  const failure = await give(wish).catch((error: unknown) => failureOf(wish, error));
  expect(failure).toEqual({ wish, reasons: [thrown.message], open });
});
