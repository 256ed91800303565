import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";
import { noticeHands, touch } from "../../ui/attention";
import { say } from "../../ui/failure";
import {
  failureOf,
  give,
  hasArrived,
  isUnanswered,
  type Launch,
  launches,
  hear as listen,
  readNewest,
  type Wish,
} from "./launches";

const service = vi.hoisted(() => ({ POST: vi.fn(), GET: vi.fn() }));
vi.mock("../../i18n", () => ({ t: (word: string, values = {}) => [word, ...Object.values(values)].join(" ") }));
vi.mock("../../api/client", () => ({
  service,
  admitted: { peek: () => true },
  dataOf: ({ data }: { data: unknown }) => data,
}));

const told = vi.hoisted(() => ({ of: (_: string): void => undefined, live: true }));
vi.mock("../../api/changes", () => ({
  Changes: class {
    readonly connection = { peek: () => (told.live ? "live" : "lost") };
    listen(tell: (change: { of: string; id: string }) => void) {
      told.of = (id) => tell({ of: "launch", id });
      return () => undefined;
    }
  },
}));
vi.mock("../../ui/failure", async (original) => ({ ...(await original<object>()), say: vi.fn() }));

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

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test("what came of a launch is read when it is told, and said once", async () => {
  service.POST.mockResolvedValueOnce({ data: { ...launch("given", "n", 1), left_s: 60 } });
  await give(wish);
  await pass(9000);
  expect(service.GET).not.toHaveBeenCalled();
  service.GET.mockResolvedValue({ data: launch("refused", "n", 2) });
  told.of(wish.planning_id);
  told.of(wish.planning_id);
  await pass(60_000);
  expect(vi.mocked(say).mock.calls.filter(([text]) => text.startsWith("plan.told_refused"))).toHaveLength(1);
  expect(service.GET).toHaveBeenCalledTimes(2);
});

test.each([
  [true, 10_500],
  [false, 2500],
])("that it has expired, of which nobody is told, is asked for: told of others %s", async (live, within) => {
  told.live = live;
  service.POST.mockResolvedValueOnce({ data: { ...launch("given", "n", 1), left_s: 8 } });
  await give(wish);
  service.GET.mockResolvedValue({ data: launch("expired", "n", 1) });
  await pass(within);
  expect(launches.value.get(wish.planning_id)?.state).toBe("expired");
  told.live = true;
});

test("a launch that somebody else gives is known as soon as it is told", async () => {
  const end = listen();
  service.GET.mockResolvedValueOnce({ data: launch("accepted", "theirs", 1) });
  told.of(wish.planning_id);
  await pass(0);
  expect(launches.value.get(wish.planning_id)?.client_id).toBe("theirs");
  end();
});

test("what is told while nobody is at the page is read when somebody is back", async () => {
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("document", new EventTarget());
  noticeHands();
  const end = listen();
  await pass(16 * 60_000);
  service.GET.mockResolvedValue({ data: launch("accepted", "theirs", 1) });
  told.of(wish.planning_id);
  told.of(wish.planning_id);
  await pass(60_000);
  expect(service.GET).not.toHaveBeenCalled();
  touch();
  await pass(0);
  expect(service.GET).toHaveBeenCalledTimes(1);
  expect(launches.value.get(wish.planning_id)?.client_id).toBe("theirs");
  end();
  vi.unstubAllGlobals();
});
