import { beforeEach, expect, test, vi } from "vitest";

vi.mock("../i18n", () => ({ t: (word: string) => word }));

let failure: typeof import("./failure");
const shown = () => failure.notices.value.map(({ text }) => text);

beforeEach(async () => {
  vi.resetModules();
  failure = await import("./failure");
});

test("what is wrong in one view is in nobody's way in another, and there again when that one is", async () => {
  const { attempt, dismiss, openView, say } = failure;
  openView.value = "plan";
  say("two places to put right", "bad", [], "plan");
  say("the vehicle has refused it", "bad");
  expect(shown()).toEqual(["two places to put right", "the vehicle has refused it"]);
  openView.value = "fly";
  await attempt(() => Promise.reject(new Error("no such option")), "plan"); // it comes when somebody has left
  expect(shown()).toEqual(["the vehicle has refused it"]);
  openView.value = "plan";
  expect(shown()).toEqual(["two places to put right", "the vehicle has refused it", "no such option"]);
  for (const { id } of failure.notices.value) dismiss(id);
  expect(shown()).toEqual([]);
});
