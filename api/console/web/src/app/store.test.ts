import { expect, it } from "vitest";
import { guarded } from "./store";

const closed = (): Storage => {
  throw new DOMException("denied", "SecurityError");
};

/** A store of a browser: what is in it are its members, as those of a real one are. */
function real(held: Record<string, string>, set: (name: string, text: string) => void): Storage {
  const acts = {
    getItem: (name: string) => held[name] ?? null,
    setItem: set,
    removeItem: (name: string) => void delete held[name],
  };
  return new Proxy(held, { get: (_, name) => acts[name as keyof typeof acts] }) as unknown as Storage;
}

const full = (): Storage =>
  real({ a: "old" }, () => {
    throw new DOMException("full", "QuotaExceededError");
  });

it.each([
  ["closed", closed, null],
  ["full", full, "old"],
])("what a store that is %s does not keep lasts as long as the page", (_, make, before) => {
  const given = make === closed ? null : make();
  const store = guarded(() => given ?? make());
  expect(store.getItem("a")).toBe(before);
  store.setItem("a", "new");
  expect([store.getItem("a"), store.names(), store.outlasts("a")]).toEqual(["new", ["a"], false]);
  expect(given?.getItem("a") ?? null).toBe(null); // the next page is not told what is true no more
  store.removeItem("a");
  expect(store.getItem("a")).toBe(null);
});

it("what comes in the place of something has its room too", () => {
  const held: Record<string, string> = { a: "old", b: "others" };
  const given = real(held, (name, text) => {
    if (Object.keys(held).length > 1) throw new DOMException("full", "QuotaExceededError");
    held[name] = text;
  });
  const store = guarded(() => given);
  store.setItem("a", "newer");
  expect([held.a, store.outlasts("a")]).toEqual(["newer", true]);
});

it("what a store keeps outlasts the page, until it is taken out", () => {
  const held: Record<string, string> = { of_before: "old" };
  const given = real(held, (name, text) => {
    held[name] = text;
  });
  const store = guarded(() => given);
  store.setItem("a", "new");
  expect([store.names(), store.outlasts("a"), store.outlasts("b")]).toEqual([["of_before", "a"], true, false]);
  store.removeItem("a");
  expect([store.names(), store.outlasts("a")]).toEqual([["of_before"], false]);
});
