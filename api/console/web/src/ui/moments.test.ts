import { afterAll, beforeAll, expect, test } from "vitest";
import { momentOf, writtenOf } from "./moments";

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Europe/Athens";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test.each([
  ["2026-01-15T10:30", true, "2026-01-15T10:30:00.000Z"],
  ["2026-01-15T10:30", false, "2026-01-15T08:30:00.000Z"],
  ["2026-07-15T10:30", false, "2026-07-15T07:30:00.000Z"],
  ["2026-01-01T00:30", false, "2025-12-31T22:30:00.000Z"],
])("%s, in UTC %s, is %s, and is shown as it was written", (written, utc, moment) => {
  expect(momentOf(written, utc)).toBe(moment);
  expect(writtenOf(moment, utc)).toBe(written);
});

test("what is not written whole, which a field gives as nothing, is no moment yet", () => {
  expect(momentOf("", true)).toBe("");
  expect(momentOf("", false)).toBe("");
  expect(writtenOf("", true)).toBe("");
});

test("a year that is still being written stays as it stands", () => {
  expect(writtenOf(momentOf("0002-01-15T10:30", false), false)).toBe("0002-01-15T10:30");
});
