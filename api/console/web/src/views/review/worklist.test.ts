import { beforeEach, expect, test, vi } from "vitest";

/** Readings of the queue that are not answered yet, in the order they were asked for. */
let asked: ((ids: readonly string[]) => void)[] = [];
const feature = (id: string) => ({ feature: { id }, severity: "alert", people: 1, claim: null, seen: null });

vi.mock("../../api/client", () => ({
  dataOf: ({ data }: { data: unknown }) => data,
  service: {
    GET: () =>
      new Promise((yes) => {
        asked.push((ids) => yes({ data: { items: ids.map(feature), counts: {}, links: [] } }));
      }),
  },
}));
vi.mock("../../app/session", () => ({ may: () => true }));
vi.mock("../../app/skew", () => ({ serviceNow: () => 0 }));
vi.mock("./crossing", () => ({ crossingOf: ({ id }: { id: string }) => ({ id }) }));

const turns = () => new Promise((go) => setTimeout(go, 0));
const answer = async (ids: readonly string[]) => {
  asked.shift()?.(ids);
  await turns();
};

/** The list as it stands with these in it. */
async function listed(...ids: string[]) {
  const list = await import("./worklist");
  void list.load();
  await answer(ids);
  return { ...list, shown: () => list.items.value.map(({ crossing }) => crossing.id) };
}

beforeEach(() => {
  vi.resetModules();
  asked = [];
});

test("a reading that was begun before a verdict does not bring the crossing back, nor one before it has arrived", async () => {
  const { load, strike, expectBack, shown } = await listed("a", "b");
  void load();
  strike("a");
  expect(shown()).toEqual(["b"]);
  await answer(["a", "b"]);
  expect(shown()).toEqual(["b"]);
  void load(); // as for what somebody else does
  expectBack("a"); // it arrives meanwhile
  await answer(["a", "b"]);
  expect(shown()).toEqual(["b"]);
  void load();
  await answer(["a", "b"]); // it wants a second person
  expect(shown()).toEqual(["a", "b"]);
});

test("in a list of what was judged a crossing stays", async () => {
  const { seek, strike, shown } = await listed("a");
  strike("a");
  void seek({ which: "all" });
  await turns();
  expect(asked).toHaveLength(1);
  asked = [];
  expect(shown()).toEqual([]);
});

test("what is known of verdicts that came meanwhile is read once, after the reading that is under way", async () => {
  const { load, loadNext, shown } = await listed("a", "b");
  void load();
  void loadNext();
  void loadNext();
  expect(asked).toHaveLength(1);
  await answer(["a", "b"]);
  expect(asked).toHaveLength(1);
  await answer(["b"]);
  expect([shown(), asked.length]).toEqual([["b"], 0]);
});
