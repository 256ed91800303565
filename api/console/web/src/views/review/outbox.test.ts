import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";
import type { Store } from "../../app/store";
import { type Kept, Outbox, type Outcome, type Post, type Waiting } from "./outbox";

const YES = { verdict: "confirm", reason: null, category: null } as const;
const kept = (reviewer_key: string) => ({ ...YES, reviewer: "x", reviewer_key, revision: 1, time: "" });

const USUAL: Post = { who: () => "ana", clear: () => Promise.resolve(), send: vi.fn(), read: vi.fn() };

/** A box of ana's; with what was given in the page before, it is another one of that page. */
function made(post: Partial<Post>, store = memory(), here = new Set<string>()) {
  const outcomes: Outcome[] = [];
  const box = new Outbox("ana", { ...USUAL, ...post }, store, (_, outcome) => outcomes.push(outcome), here);
  return { box, outcomes, store, here };
}

/** Under which a verdict on the crossing `a` is kept. */
const NAME = "vedette.review.outbox.ana.a";

function memory(outlasts = true): Store {
  const held = new Map<string, string>();
  return {
    getItem: (name: string) => held.get(name) ?? null,
    setItem: (name: string, text: string) => void held.set(name, text),
    removeItem: (name: string) => void held.delete(name),
    names: () => [...held.keys()],
    outlasts: (name: string) => outlasts && held.has(name),
  };
}

/** A page of ana's that has not got her verdict on `a` to the service. */
async function unsent(store = memory()) {
  const page = made({ send: () => Promise.reject(new Problem(0, "away")) }, store);
  page.box.give("a", '"1-0"', 0, YES);
  await vi.waitFor(() => expect(page.box.waiting.value[0]?.away).toBe(true));
  page.box.stop();
  return page;
}

test("what cannot be sent is kept over the view, for the same person alone, and sent with the same etag", async () => {
  const { store, here } = await unsent();
  const send = vi.fn().mockResolvedValue({ state: "confirmed", etag: '"1-1"' });
  const other = new Outbox("ben", { ...USUAL, send }, store, vi.fn(), here);
  expect([other.waiting.value, other.found.value]).toEqual([[], []]);
  const again = made({ send }, store, here);
  await again.box.flush();
  expect(send).toHaveBeenCalledWith(expect.objectContaining({ record_id: "a", etag: '"1-0"' }));
  expect(again.outcomes).toMatchObject([{ kind: "taken" }]);
  expect(made({}, store, here).box.waiting.value).toEqual([]);
});

describe("what another page has left in the browser", () => {
  const answers = () => vi.fn().mockResolvedValue({ state: "confirmed", etag: '"1-1"' });

  test("is shown and not sent, whoever put it there, until the person says so", async () => {
    const { store } = await unsent();
    const send = answers();
    const { box, outcomes } = made({ send }, store);
    await box.flush();
    expect([send.mock.calls, outcomes, box.waiting.value]).toEqual([[], [], []]);
    const [found] = box.found.value;
    expect(found).toMatchObject({ record_id: "a", verdict: "confirm" });
    if (found !== undefined) box.adopt(found);
    await vi.waitFor(() => expect(outcomes).toMatchObject([{ kind: "taken" }]));
    expect(send).toHaveBeenCalledWith(expect.objectContaining({ record_id: "a", etag: '"1-0"' }));
    expect([box.found.value, store.getItem(NAME)]).toEqual([[], null]);
  });

  test("goes as it was shown, whatever is put in its place meanwhile", async () => {
    const { store } = await unsent();
    const send = answers();
    const { box } = made({ send }, store);
    const [found] = box.found.value;
    store.setItem(NAME, JSON.stringify({ ...found, verdict: "dismiss", reason: "planted" }));
    if (found !== undefined) box.adopt(found);
    await vi.waitFor(() => expect(send).toHaveBeenCalled());
    expect(send).toHaveBeenCalledWith(expect.objectContaining({ verdict: "confirm", reason: null }));
  });

  test("is another page's still where this page's own was written over", async () => {
    const { store, here, box } = await unsent();
    store.setItem(NAME, JSON.stringify({ ...box.waiting.value[0], verdict: "dismiss" }));
    const send = answers();
    const next = made({ send }, store, here);
    await next.box.flush();
    expect([send.mock.calls, next.box.found.value.length]).toEqual([[], 1]);
  });

  test("is thrown away for good, and looked for at the service", async () => {
    const { store } = await unsent();
    const read = vi.fn().mockResolvedValue({ reviews: [], state: "pending", etag: '"1-0"' });
    const { box } = made({ read }, store);
    expect(await box.take("a")).toBe("unsaid");
    expect([box.found.value, store.getItem(NAME)]).toEqual([[], null]);
    box.stop();
  });

  test("gives way to what the person says of the same crossing now", async () => {
    const { store } = await unsent();
    const send = answers();
    const { box } = made({ send }, store);
    box.give("a", '"1-0"', 0, { ...YES, verdict: "dismiss" });
    expect(box.found.value).toEqual([]);
    await vi.waitFor(() => expect(store.getItem(NAME)).toBeNull());
    expect(send.mock.calls.map(([one]) => one.verdict)).toEqual(["dismiss"]);
  });

  test.each([
    ["a time that no clock has", { given: 1e300 }],
    ["a state that no request can name", { etag: '"1-0"\n' }],
    ["the name of another crossing", { record_id: "b" }],
  ])("is no verdict with %s: nothing is shown that could be neither sent nor thrown away", async (_, changed) => {
    const { store } = await unsent();
    store.setItem(NAME, JSON.stringify({ ...made({}, store).box.found.value[0], ...changed }));
    expect(made({}, store).box.found.value).toEqual([]);
  });

  test("goes from the list when that page has brought it to its end", async () => {
    const { store } = await unsent();
    const { box } = made({}, store);
    store.removeItem(NAME);
    box.lookAgain();
    expect(box.found.value).toEqual([]);
  });
});

test("whether what waits outlasts the page is known", async () => {
  expect([(await unsent()).box.outlasts, (await unsent(memory(false))).box.outlasts]).toEqual([true, false]);
});

test("a fault of the page itself is told, and what was given is sent again", async () => {
  vi.useFakeTimers();
  const send = vi
    .fn()
    .mockRejectedValueOnce(new TypeError("broken"))
    .mockResolvedValue({ state: "confirmed", etag: "" });
  const { store, here } = await unsent();
  const { box, outcomes } = made({ send }, store, here);
  await expect(box.flush()).rejects.toThrow("broken");
  expect(box.waiting.value[0]?.away).toBe(true);
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  expect(outcomes).toMatchObject([{ kind: "taken" }]);
});

test("a fault in a box that was stopped leaves alone what the next one keeps", async () => {
  let fail: (error: unknown) => void = () => undefined;
  const send = vi.fn(
    () =>
      new Promise<never>((_, no) => {
        fail = no;
      }),
  );
  const { store, here } = await unsent();
  const { box } = made({ send }, store, here);
  const flushed = expect(box.flush()).rejects.toThrow("broken");
  await vi.waitFor(() => expect(send).toHaveBeenCalled());
  box.stop();
  store.removeItem(NAME); // the next has sent it
  fail(new TypeError("broken"));
  await flushed;
  expect(store.getItem(NAME)).toBeNull();
});

test.each([
  ["out of reach", () => Promise.reject(new Problem(0, "away"))],
  ["refused", () => Promise.reject(new Problem(403, "not yours any more"))],
])("whether what was taken back had arrived is not known where the service is %s", async (_, read) => {
  const { box, outcomes } = made({ send: () => Promise.reject(new Problem(0, "away")), read });
  box.give("a", '"1-0"', 0, YES);
  await vi.waitFor(() => expect(box.waiting.value[0]?.away).toBe(true));
  expect(await box.take("a")).toBe("unknown");
  expect([box.waiting.value, outcomes]).toEqual([[], []]);
});

describe("a verdict that was taken back while a request with it was still on its way", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function takenBack() {
    const there: Kept[] = [];
    const { box, outcomes } = made({
      send: () => Promise.reject(new Problem(0, "no answer in time")),
      read: () => Promise.resolve({ reviews: there, state: "confirmed", etag: '"1-1"' }),
    });
    box.give("a", '"1-0"', 0, YES);
    await vi.advanceTimersByTimeAsync(1);
    expect(await box.take("a")).toBe("unsaid");
    return { box, outcomes, there };
  }

  test.each([1000, 20_000, 100_000])("is told when it lands after %d ms", async (ms) => {
    const { outcomes, there } = await takenBack();
    await vi.advanceTimersByTimeAsync(ms);
    expect(outcomes).toEqual([]);
    there.push(kept("ana"));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(outcomes).toEqual([{ kind: "taken", state: "confirmed", etag: '"1-1"', late: true }]);
  });

  test("is nobody's business any more once another is given, or the person has gone", async () => {
    for (const act of [
      (box: Outbox) => box.give("a", '"1-0"', 0, { ...YES, verdict: "dismiss" }),
      (box: Outbox) => box.stop(),
    ]) {
      const { box, outcomes, there } = await takenBack();
      act(box);
      there.push(kept("ana"));
      await vi.advanceTimersByTimeAsync(200_000);
      expect(outcomes.filter((each) => each.kind === "taken" && each.late)).toEqual([]);
    }
  });
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

describe("of two pages of one person that have the same verdict", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** The first has not got it to the service, and goes on trying; the second opens then. */
  async function two() {
    const service = new Service(null, "lost");
    const first = made(service);
    first.box.give("a", '"1-0"', 0, YES);
    await vi.advanceTimersByTimeAsync(1);
    const second = made(service, first.store);
    expect(second.box.found.value).toHaveLength(1);
    return { service, first, second, store: first.store };
  }

  test("one sends it, and the other hears so", async () => {
    const { service, first, second, store } = await two();
    for (const each of second.box.found.value) second.box.adopt(each);
    await vi.advanceTimersByTimeAsync(1);
    const sent = service.senders.length;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([first.outcomes, first.box.waiting.value]).toEqual([[{ kind: "elsewhere" }], []]);
    expect(second.outcomes).toMatchObject([{ kind: "taken" }]);
    expect([service.of("ana"), service.senders.length, store.getItem(NAME)]).toEqual([1, sent, null]);
  });

  test("what one takes back the other does not send", async () => {
    const { service, first, second } = await two();
    expect(await second.box.take("a")).toBe("unsaid");
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([first.outcomes, service.of("ana")]).toEqual([[{ kind: "elsewhere" }], 0]);
  });

  test("the one that was given last counts", async () => {
    const { service, first, second, store } = await two();
    vi.setSystemTime(Date.now() + 1);
    service.person = null; // nobody is logged in for a while
    second.box.give("a", '"1-0"', 0, { ...YES, reason: "seen twice" });
    service.person = "ana";
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(first.outcomes).toEqual([{ kind: "elsewhere" }]);
    expect(second.outcomes).toMatchObject([{ kind: "taken" }]);
    expect([service.of("ana"), store.getItem(NAME)]).toEqual([1, null]);
  });
});

type Step = "clear" | "send" | "read";
type Fate = "taken" | "answer lost" | "lost" | "refused" | "overtaken";

/** One crossing's verdicts at a service that judges by If-Match, and a page that can be stopped where it waits for it. */
class Service implements Post {
  person: string | null = "ana";
  readonly kept: Kept[] = [];
  /** Who was logged in as each request with a verdict left. */
  readonly senders: (string | null)[] = [];
  /** Whether the page waits at that step. */
  waits = false;
  readonly #step: Step | null;
  #fate: Fate;
  #go: () => void = () => undefined;

  constructor(step: Step | null = null, fate: Fate = "taken") {
    this.#step = step;
    this.#fate = fate;
  }

  who = () => this.person;
  clear = () => this.#at("clear");

  send = async ({ etag }: Waiting) => {
    this.senders.push(this.person);
    const fate = this.#fate;
    this.#fate = "taken"; // the next one
    if (fate === "overtaken") this.kept.push({ ...kept("eve"), verdict: "dismiss" });
    const stale = etag !== this.#etag;
    if (!stale && (fate === "taken" || fate === "answer lost")) this.kept.push(kept(this.person ?? ""));
    await this.#at("send");
    if (fate === "lost" || fate === "answer lost") throw new Problem(0, "away");
    if (fate === "refused") throw new Problem(409, "claimed by somebody else");
    if (stale) throw new Problem(412, "stale");
    return { state: "confirmed", etag: this.#etag };
  };

  read = async () => {
    const reviews = [...this.kept];
    await this.#at("read");
    return { reviews, state: "confirmed", etag: this.#etag };
  };

  /** Let the page go on from where it waits. */
  release(): void {
    this.#go();
  }

  of(person: string): number {
    return this.kept.filter((each) => each.reviewer_key === person).length;
  }

  get #etag(): string {
    return `"1-${this.kept.length}"`;
  }

  async #at(step: Step): Promise<void> {
    if (step !== this.#step || this.waits) return;
    this.waits = true;
    await new Promise<void>((go) => {
      this.#go = go;
    });
  }
}

const MOMENTS: readonly [Step, Fate][] = [
  ["clear", "taken"],
  ["send", "taken"],
  ["send", "answer lost"],
  ["send", "lost"],
  ["send", "refused"],
  ["send", "overtaken"],
  ["read", "overtaken"],
  ["read", "answer lost"],
];
const MINUTE = 60_000;
const expected = (fate: Fate) => (fate === "overtaken" ? 0 : 1);

describe.each(MOMENTS)("while it waits at %s, which was %s", (step, fate) => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function begun() {
    const service = new Service(step, fate);
    const { box, outcomes, store, here } = made(service);
    box.give("a", '"1-0"', 0, YES);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(service.waits).toBe(true);
    expect(outcomes).toEqual([]);
    return { service, box, outcomes, store, here };
  }

  test("a box that is stopped sends, keeps and tells nothing more; the next one brings it to its end, once", async () => {
    const { service, box, outcomes, store, here } = await begun();
    box.give("b", '"1-0"', 0, { ...YES, verdict: "dismiss" });
    const [stored, sent] = [store.getItem(NAME), service.senders.length];
    box.stop();
    service.release();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([outcomes, store.getItem(NAME), service.senders.length]).toEqual([[], stored, sent]);
    expect(await box.take("a")).toBe(null);

    const next = made(service, store, here);
    expect(await next.box.take("b")).toBe("unsaid");
    await next.box.flush();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(next.box.waiting.value).toEqual([]);
    expect(next.outcomes).toHaveLength(1);
    expect(service.of("ana")).toBe(expected(fate));
  });

  test("what the next box took back stays so, whatever the stopped one is answered", async () => {
    const { service, box, store, here } = await begun();
    box.stop();
    const [sent, next] = [service.senders.length, made(service, store, here)];
    const arrived = service.of("ana") === 1;
    expect(await next.box.take("a")).toBe(arrived ? "arrived" : "unsaid");
    expect(next.outcomes).toMatchObject(arrived ? [{ kind: "taken" }] : []);
    service.release();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([store.getItem(NAME), service.senders.length]).toEqual([null, sent]);
  });

  test("the next box sends it too while the stopped one is not answered: one verdict, and one word of it", async () => {
    const { service, box, outcomes, store, here } = await begun();
    box.stop();
    const next = made(service, store, here);
    await next.box.flush();
    service.release();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([outcomes, next.outcomes.length, store.getItem(NAME)]).toEqual([[], 1, null]);
    expect(service.of("ana")).toBe(expected(fate));
  });

  test.each([["ben"], [null]])(
    "%s is logged in then: nothing goes in that name, all of it when ana is back",
    async (other) => {
      const { service, box, outcomes } = await begun();
      service.person = other;
      service.release();
      await vi.advanceTimersByTimeAsync(MINUTE);
      expect(outcomes).toHaveLength(step === "send" && fate === "taken" ? 1 : 0); // nobody else is told the others
      expect(new Set(service.senders)).toEqual(new Set(step === "clear" ? [] : ["ana"]));
      service.person = "ana";
      await vi.advanceTimersByTimeAsync(MINUTE);
      expect(box.waiting.value).toEqual([]);
      expect([service.of("ana"), service.of("ben"), service.of("")]).toEqual([expected(fate), 0, 0]);
    },
  );
});
