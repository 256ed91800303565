import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { away, isAttended, noticeHands, onceBack, restWithin, touch, whenAttended, whenBack } from "./attention";

const MINUTE = 60_000;
const hands = new Map<string, () => void>();
let page: EventTarget & { hidden: boolean };

function hide(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  page = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", (kind: string, act: () => void) => hands.set(kind, act));
  noticeHands();
  touch();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("nobody is there a quarter of an hour after the last touch, and somebody with the next", () => {
  vi.advanceTimersByTime(14 * MINUTE);
  hands.get("keydown")?.();
  vi.advanceTimersByTime(14 * MINUTE);
  expect([away.value, isAttended()]).toEqual([false, true]);
  vi.advanceTimersByTime(2 * MINUTE);
  expect([away.value, isAttended()]).toEqual([true, false]);
  hands.get("pointermove")?.();
  expect([away.value, isAttended()]).toEqual([false, true]);
});

it("who comes back to the page from elsewhere is there", () => {
  hide(true);
  vi.advanceTimersByTime(20 * MINUTE);
  expect(away.value).toBe(true);
  hide(false);
  expect([away.value, isAttended()]).toEqual([false, true]);
});

it.each([
  ["whenBack", whenBack, false],
  ["whenAttended", whenAttended, true],
] as const)("%s does it once, when it is time, or never once it is called off", (_, wait, looks) => {
  const [act, off] = [vi.fn(), vi.fn()];
  wait(act);
  expect(act).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(20 * MINUTE);
  wait(act);
  wait(off)();
  expect(act).toHaveBeenCalledTimes(1);
  touch();
  touch();
  expect(act).toHaveBeenCalledTimes(2);
  hide(true);
  wait(act);
  expect(act).toHaveBeenCalledTimes(looks ? 2 : 3);
  hide(false);
  expect(act).toHaveBeenCalledTimes(3);
  expect(off).not.toHaveBeenCalled();
});

it("what is asked for again and again is done at once while somebody is there, and once when they are back", () => {
  const act = vi.fn();
  const ask = onceBack(act);
  ask("a");
  ask("a");
  expect(act.mock.calls).toEqual([["a"], ["a"]]);
  vi.advanceTimersByTime(20 * MINUTE);
  for (const name of ["a", "b", "a"]) ask(name);
  expect(act).toHaveBeenCalledTimes(2);
  touch();
  expect(act.mock.calls.slice(2)).toEqual([["a"], ["b"]]);
});

it("nobody is there after half of what a session lasts that is not used", () => {
  restWithin(4 * MINUTE);
  vi.advanceTimersByTime(MINUTE);
  expect(away.value).toBe(false);
  vi.advanceTimersByTime(2 * MINUTE);
  expect(away.value).toBe(true);
  restWithin(30 * MINUTE);
});
