import { expect, test, vi } from "vitest";

vi.mock("../../app/preferences", () => ({ language: { value: "en" } }));
const { span } = await import("./units");

test.each([
  [0, "0 s"],
  [0.4, "0 s"],
  [59.6, "1 min"],
  [61, "1 min 1 s"],
  [3599.6, "1 h"],
  [3661, "1 h 1 min"],
  [-90, "−1 min 30 s"],
  [-0.2, "0 s"],
])("%d seconds are %s", (seconds, words) => expect(span(seconds)).toBe(words));
