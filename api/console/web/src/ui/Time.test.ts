import { afterEach, expect, test, vi } from "vitest";
import { zoneText } from "./Time";

vi.mock("../app/preferences", () => ({ clock: { value: "local" } }));

const machine = process.env.TZ;

afterEach(() => {
  process.env.TZ = machine ?? "";
});

test("a zone is called as the tables of Unicode have it, in summer and in winter", () => {
  for (const zone of ["UTC", "Europe/Athens", "Europe/London", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]) {
    process.env.TZ = zone;
    for (const at of ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"]) {
      const theirs = new Date(at).toLocaleTimeString("en", { timeZoneName: "shortOffset" }).split(" ").at(-1);
      expect(zoneText(at), `${zone} ${at}`).toBe(theirs);
    }
  }
});
