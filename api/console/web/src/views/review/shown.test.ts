import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hide, isShown, show } from "./shown";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a crossing can have been looked at when it has been on the page for 0.3 s, and no other one with it", () => {
  show("a");
  vi.advanceTimersByTime(299);
  expect(isShown("a")).toBe(false);
  vi.advanceTimersByTime(1);
  expect([isShown("a"), isShown("b")]).toEqual([true, false]);
  hide();
  show("b");
  expect([isShown("a"), isShown("b")]).toEqual([false, false]);
  hide(); // it was left before
  vi.advanceTimersByTime(1000);
  expect(isShown("b")).toBe(false);
});
