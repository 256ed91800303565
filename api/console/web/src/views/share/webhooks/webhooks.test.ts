import { expect, test, vi } from "vitest";
import { standingOf, wishOf } from "./webhooks";

vi.mock("../../../api/client", () => ({}));

test.each([
  ["", {}],
  ["  ", {}],
  ["release.created", { kinds: ["release.created"] }],
  [
    "release.created, release.recalled;record.erased\n",
    { kinds: ["release.created", "release.recalled", "record.erased"] },
  ],
])("kinds that are written %j", (kinds, wanted) => {
  expect(wishOf(" https://you.example/hook ", kinds)).toEqual({ url: "https://you.example/hook", ...wanted });
});

test("one that rests does so whether it failed before or not", () => {
  const at = "2026-01-01T00:00:00Z";
  expect(standingOf({ disabled: at, failures: 3 })).toBe("resting");
  expect(standingOf({ disabled: null, failures: 3 })).toBe("failing");
  expect(standingOf({ disabled: null, failures: 0 })).toBe("going");
});
