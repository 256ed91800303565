import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { whenLookedAt } from "./asked";

vi.mock("../api/client", () => ({}));

const SECOND = 1000;
let page: EventTarget & { hidden: boolean };
let act: ReturnType<typeof vi.fn<() => void>>;

function turn(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { hidden: false });
  act = vi.fn<() => void>();
  vi.stubGlobal("document", page);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("is done so long after, once", () => {
  whenLookedAt(act, SECOND);
  vi.advanceTimersByTime(SECOND - 1);
  expect(act).not.toHaveBeenCalled();
  vi.advanceTimersByTime(SECOND);
  turn(true);
  turn(false);
  expect(act).toHaveBeenCalledTimes(1);
});

it("waits while the page is hidden, and is done as soon as it is seen again", () => {
  whenLookedAt(act, SECOND);
  turn(true);
  vi.advanceTimersByTime(3600 * SECOND);
  expect(act).not.toHaveBeenCalled();
  turn(false);
  expect(act).toHaveBeenCalledTimes(1);
});

it("is not done before its time because the page was hidden meanwhile", () => {
  whenLookedAt(act, SECOND);
  turn(true);
  turn(false);
  expect(act).not.toHaveBeenCalled();
  vi.advanceTimersByTime(SECOND);
  expect(act).toHaveBeenCalledTimes(1);
});

it.each([false, true])("is called off, the page being hidden: %s", (hidden) => {
  const end = whenLookedAt(act, SECOND);
  turn(hidden);
  if (hidden) vi.advanceTimersByTime(SECOND);
  end();
  vi.advanceTimersByTime(SECOND);
  turn(false);
  expect(act).not.toHaveBeenCalled();
});
