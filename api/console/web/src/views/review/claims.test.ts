import { afterEach, beforeEach, expect, test, vi } from "vitest";

const service = vi.hoisted(() => ({ POST: vi.fn(), DELETE: vi.fn() }));
vi.mock("../../api/client", () => ({ service, dataOf: ({ data }: { data: unknown }) => data }));
vi.mock("../../app/session", () => ({ may: () => true }));
vi.mock("../../ui/attention", () => ({
  whenBack: (act: () => void) => {
    act();
    return () => undefined;
  },
}));
vi.mock("../../ui/failure", () => ({ report: vi.fn() }));
vi.mock("./worklist", () => ({ change: () => undefined }));

const NOON = Date.UTC(2026, 0, 1, 12);
const page = new EventTarget();
const mine = () => ({ data: { by: "Ana", mine: true, until: new Date(NOON + 15 * 60_000).toISOString() } });
const letGo = () => service.DELETE.mock.calls.length;

/** Open a crossing, whose claim is asked for and answered by what comes back. */
async function opened(id: string) {
  const { hold } = await import("./claims");
  const { Problem } = await import("../../api/problem"); // the class that the module knows
  let answer: (end: unknown) => void = () => undefined;
  let refuse: (error: unknown) => void = () => undefined;
  service.POST.mockReturnValueOnce(
    new Promise((yes, no) => {
      [answer, refuse] = [yes, no];
    }),
  );
  const leave = hold(id);
  await vi.advanceTimersByTimeAsync(500);
  return { leave, answer: async () => answer(mine()), refuse: async () => refuse(new Problem(0, "no answer")) };
}

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers({ now: NOON });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  service.POST.mockReset();
  service.DELETE.mockReset().mockResolvedValue({});
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each(["answer", "refuse"] as const)(
  "a claim that is late (%s) is let go of where its crossing was left",
  async (end) => {
    const first = await opened("a");
    first.leave();
    expect(letGo()).toBe(0);
    await first[end]();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(letGo()).toBe(end === "answer" ? 1 : 2); // without an answer it may be taken after the first
  },
);

test.each(["answer", "refuse"] as const)("but not (%s) where it has been opened again", async (end) => {
  const first = await opened("a");
  first.leave();
  const second = await opened("a");
  await second.answer();
  await first[end]();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(letGo()).toBe(0);
  second.leave();
  expect(letGo()).toBe(1);
});

test("a page that was left and is shown again as it was takes its crossing again", async () => {
  const { leave, answer } = await opened("a");
  await answer();
  await vi.advanceTimersByTimeAsync(0);
  page.dispatchEvent(new Event("pagehide"));
  expect(letGo()).toBe(1);
  service.POST.mockResolvedValueOnce(mine());
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await vi.advanceTimersByTimeAsync(0);
  expect(service.POST).toHaveBeenCalledTimes(2);
  leave();
  expect(letGo()).toBe(2);
});

test("a claim that was on its way when the page was left and shown again is not asked for twice over", async () => {
  const { leave, refuse } = await opened("a");
  page.dispatchEvent(new Event("pagehide"));
  service.POST.mockImplementation(async () => mine());
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await vi.advanceTimersByTimeAsync(0);
  await refuse(); // the browser gave up the first
  await vi.advanceTimersByTimeAsync(6000);
  leave();
  const asked = service.POST.mock.calls.length;
  await vi.advanceTimersByTimeAsync(20 * 60_000);
  expect(service.POST).toHaveBeenCalledTimes(asked);
});

test.each([-3600, 0, 3600])("it is renewed in time where this computer's clock is %d s off", async (ahead) => {
  const { skewS } = await import("../../app/skew");
  skewS.value = -ahead;
  const { leave, answer } = await opened("a");
  vi.setSystemTime(NOON + ahead * 1000);
  await answer();
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(service.POST).toHaveBeenCalledTimes(1);
  service.POST.mockResolvedValueOnce(mine());
  await vi.advanceTimersByTimeAsync(6 * 60_000);
  expect(service.POST.mock.calls.length).toBeGreaterThan(1);
  leave();
});
