import { expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";
import { Outbox, type Outcome, type Post } from "./outbox";

const YES = { verdict: "confirm", reason: null, category: null } as const;
const kept = (reviewer_key: string) => ({ ...YES, reviewer: "x", reviewer_key, revision: 1, time: "" });

function made(post: Partial<Post>, store = memory()) {
  const outcomes: Outcome[] = [];
  const usual: Post = { send: vi.fn(), read: vi.fn() };
  const box = new Outbox("ana", { ...usual, ...post }, store, (_, outcome) => outcomes.push(outcome));
  return { box, outcomes, store };
}

function memory(): Storage {
  const held = new Map<string, string>();
  return {
    getItem: (name: string) => held.get(name) ?? null,
    setItem: (name: string, text: string) => void held.set(name, text),
    removeItem: (name: string) => void held.delete(name),
    clear: () => held.clear(),
    key: () => null,
    length: 0,
  };
}

test("what cannot be sent is kept over a reload, for the same person alone, and sent with the same etag", async () => {
  const { box, store } = made({ send: () => Promise.reject(new Problem(0, "away")) });
  box.give("a", '"1-0"', 0, YES);
  await vi.waitFor(() => expect(box.waiting.value[0]?.away).toBe(true));
  box.stop();
  const send = vi.fn().mockResolvedValue({ state: "confirmed", etag: '"1-1"' });
  const again = made({ send }, store);
  await again.box.flush();
  expect(send).toHaveBeenCalledWith(expect.objectContaining({ record_id: "a", etag: '"1-0"' }));
  expect(again.outcomes).toMatchObject([{ kind: "taken" }]);
  expect(new Outbox("ben", { send, read: vi.fn() }, store, vi.fn()).waiting.value).toEqual([]);
  expect(made({}, store).box.waiting.value).toEqual([]);
});

test.each([
  ["ana", 0, "taken"],
  ["ana", 1, "overtaken"], // that one was there before
  ["ben", 0, "overtaken"],
])("a stale etag: the verdict there is by %s, %i were known", async (who, known, kind) => {
  const { box, outcomes } = made({
    send: () => Promise.reject(new Problem(412, "stale")),
    read: () => Promise.resolve({ reviews: [kept(who)], state: "confirmed", etag: '"1-1"' }),
  });
  box.give("a", '"1-0"', known, YES);
  await vi.waitFor(() => expect(outcomes).toMatchObject([{ kind }]));
  expect(box.waiting.value).toEqual([]);
});
