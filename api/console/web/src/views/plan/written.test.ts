import { expect, test } from "vitest";
import { emptyDraft, newBase, type Point } from "./draft";
import { hold, unreadFaults, unreadOf } from "./unread";
import { readPlaces, textOf } from "./written";

const PLACES: Point[] = [
  [26.5000123, 41.3000077],
  [26.5212345, 41.3265432],
  [-110.9412345, 31.3333333],
];

test.each(["latlon", "mgrs", "utm"] as const)("a line that stands as it was keeps its very place, in %s", (format) => {
  const [first = "", second = "", third = ""] = textOf(PLACES, format).split("\n");
  expect(readPlaces(`${first}\n${second}\n${third}`, PLACES, format)).toEqual({ points: PLACES });
  const changed = readPlaces(`${third}\n\n41.5, 26.5\n ${first} \n${first}`, PLACES, format);
  if (!("points" in changed)) throw new Error("not read");
  expect(changed.points.slice(0, 3)).toEqual([PLACES[2], [26.5, 41.5], PLACES[0]]);
  expect(changed.points[3]?.[0]).toBeCloseTo(26.5000123, 4);
});

test("the first line that is no place is named", () => {
  expect(readPlaces("41.5, 26.5\n\nat the bridge\nx", [], "latlon")).toEqual({ line: 3, text: "at the bridge" });
});

test("a text that is no place is a fault until it is put right, or the place is another", () => {
  const draft = emptyDraft();
  draft.bases.push(newBase(draft, [26.5, 41.3], "north", "n"));
  const fault = { part: "bases", word: "plan.bad_place" } as const;
  hold("n", [[26.5, 41.3]], "at the bridge", fault);
  expect(unreadOf("n", [[26.5, 41.3]])?.text).toBe("at the bridge");
  expect(unreadFaults(draft)).toEqual([fault]);
  const moved = { ...draft, bases: draft.bases.map((base) => ({ ...base, at: [27, 41] as Point })) };
  expect(unreadFaults(moved)).toEqual([]);
  expect(unreadFaults({ ...draft, bases: [] })).toEqual([]);
  hold("n", [[26.5, 41.3]], "", null);
  expect(unreadFaults(draft)).toEqual([]);
});
