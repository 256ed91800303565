import { expect, test, vi } from "vitest";
import { type Kept, Shelf } from "./shelf";

function made(thing: string): Kept<string> {
  return { thing: Promise.resolve(thing), stop: new AbortController() };
}

test("whatever is asked for, the one in use stays, and of the others those used last", async () => {
  const dropped: string[] = [];
  const shelf = new Shelf<string>(4, (thing) => dropped.push(thing));
  shelf.hold("open");
  const open = shelf.get("open", () => made("open"));
  for (const name of "abcdefgh") await shelf.get(name, () => made(name));
  await vi.waitFor(() => expect(dropped).toEqual(["a", "b", "c", "d", "e"]));
  expect(shelf.peek("open")).toBe(open);
  await shelf.get("f", () => made("anew"));
  await shelf.get("i", () => made("i"));
  await vi.waitFor(() => expect(dropped.at(-1)).toBe("g"));
  expect(await shelf.peek("f")).toBe("f");
});

test("the next one in use lets the one before go", async () => {
  const dropped: string[] = [];
  const shelf = new Shelf<string>(2, (thing) => dropped.push(thing));
  for (const name of ["a", "b", "c"]) {
    shelf.hold(name);
    await shelf.get(name, () => made(name));
  }
  await vi.waitFor(() => expect(dropped).toEqual(["a"]));
});

test("what is on its way is stopped when it is dropped, and goes on when it is taken", async () => {
  const shelf = new Shelf<string>(1, vi.fn());
  const [first, second] = [made("first"), made("second")];
  await shelf.get("first", () => first);
  await shelf.get("second", () => second);
  expect([first.stop.signal.aborted, second.stop.signal.aborted]).toEqual([true, false]);
  expect(shelf.take("second")).toBe(second);
  await shelf.get("third", () => made("third"));
  expect(second.stop.signal.aborted).toBe(false);
});

test("what failed is asked for again, and its failure does not take what came after it", async () => {
  const shelf = new Shelf<string>(2, vi.fn());
  let fail: (error: Error) => void = vi.fn();
  const thing = new Promise<string>((_, reject) => {
    fail = reject;
  });
  const first = shelf.get("a", () => ({ thing, stop: new AbortController() }));
  shelf.take("a");
  const again = shelf.get("a", () => made("again"));
  fail(new Error("away"));
  await expect(first).rejects.toThrow("away");
  expect(shelf.peek("a")).toBe(again);
});
