import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

/** A browser's store, which keeps nothing while it is full. */
function store() {
  const texts = new Map<string, string>();
  const self = {
    full: false,
    getItem: (name: string) => texts.get(name) ?? null,
    removeItem: (name: string) => void texts.delete(name),
    setItem(name: string, text: string) {
      if (self.full) throw new DOMException("full", "QuotaExceededError");
      texts.set(name, text);
    },
  };
  vi.stubGlobal("localStorage", self);
  vi.resetModules();
  return self;
}

test("a draft goes on where the browser keeps nothing, and that is said", async () => {
  const local = store();
  const { change, draft, undo } = await import("./history");
  const { unkept } = await import("./storage");
  change({ name: "first" });
  expect(unkept.value).toBe(false);
  local.full = true;
  change({ name: "second" });
  expect([draft.value.name, unkept.value]).toEqual(["second", true]);
  undo();
  expect(draft.value.name).toBe("first");
  local.full = false;
  change({ name: "third" });
  expect(unkept.value).toBe(false);
  expect(JSON.parse(local.getItem("vedette.plan.draft") ?? "")).toMatchObject({ name: "third" });
});

test("a page that may not look into the store begins with an empty draft", async () => {
  store();
  vi.stubGlobal("localStorage", {
    getItem() {
      throw new DOMException("closed", "SecurityError");
    },
    setItem() {
      throw new DOMException("closed", "SecurityError");
    },
  });
  const { draft, lost } = await import("./history");
  const { unkept } = await import("./storage");
  expect([draft.value.name, lost.value, unkept.value]).toEqual(["", 0, true]);
});
