import { beforeEach, expect, test, vi } from "vitest";
import { ANSWER_MS, Once } from "./once";
import { Problem } from "./problem";

const NOON = Date.UTC(2026, 0, 1, 12);
const COUNTS_S = 60;
let once: Once;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  once = new Once();
});

async function sent(wish: string, answer: () => Promise<unknown>): Promise<string> {
  const name = once.nameOf(wish);
  await once.send(wish, name, COUNTS_S, answer).catch(() => undefined);
  return name;
}

const lost = () => Promise.reject(new Problem(0, "the service cannot be reached"));

test("what had no answer keeps its name for as long as it may count", async () => {
  const name = await sent("a", lost);
  vi.setSystemTime(NOON + COUNTS_S * 1000 + ANSWER_MS - 1);
  expect([once.nameOf("a"), once.isOpen("a")]).toEqual([name, true]);
  expect([once.nameOf("b") === name, once.isOpen("b")]).toEqual([false, false]);
  vi.setSystemTime(NOON + COUNTS_S * 1000 + ANSWER_MS);
  expect([once.nameOf("a") === name, once.isOpen("a")]).toEqual([false, false]);
});

test.each([
  ["taken", () => Promise.resolve({})],
  ["refused", () => Promise.reject(new Problem(409, "it flies already"))],
])("after it was %s the same is another", async (_, answer) => {
  await sent("a", lost);
  const name = await sent("a", answer);
  expect([once.nameOf("a") === name, once.isOpen("a")]).toEqual([false, false]);
});

test.each([500, 503, 429])("an answer %d says nothing of what became of it", async (status) => {
  const name = await sent("a", () => Promise.reject(new Problem(status, "")));
  expect(once.nameOf("a")).toBe(name);
});

test("what has been heard to have ended is another when it is wanted again, and no other is", async () => {
  const [name, other] = [await sent("a", lost), await sent("b", lost)];
  once.heard(name);
  expect([once.nameOf("a") === name, once.isOpen("a")]).toEqual([false, false]);
  expect(once.nameOf("b")).toBe(other);
});

test("what is heard of before its answer is lost stays heard of", async () => {
  const name = once.nameOf("a");
  const work = async () => {
    once.heard(name);
    return lost();
  };
  await once.send("a", name, COUNTS_S, work).catch(() => undefined);
  expect([once.isOpen("a"), once.sentAs("a")]).toEqual([false, name]);
});
