import { expect, it } from "vitest";
import { guarded, type Store } from "./store";

const closed = (): Store => {
  throw new DOMException("denied", "SecurityError");
};

function full(): Store {
  const before = new Map([["a", "old"]]);
  return {
    getItem: (name) => before.get(name) ?? null,
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
    removeItem: (name) => void before.delete(name),
  };
}

it.each([
  ["closed", closed, null],
  ["full", full, "old"],
])("what a store that is %s does not keep lasts as long as the page", (_, make, before) => {
  const real = make === closed ? null : make();
  const store = guarded(() => real ?? make());
  expect(store.getItem("a")).toBe(before);
  store.setItem("a", "new");
  expect(store.getItem("a")).toBe("new");
  store.removeItem("a");
  expect(store.getItem("a")).toBe(null);
});
