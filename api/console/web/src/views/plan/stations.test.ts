import { expect, test, vi } from "vitest";
import type { Station } from "./launches";
import { together, withTold } from "./stations";

vi.mock("./launches", () => ({ readStations: vi.fn() }));
vi.mock("../../ui/asked", () => ({ useAgain: vi.fn(), useAsked: vi.fn() }));
vi.mock("../../api/events", () => ({ Stream: class {} }));

const at = (source: string, second: number, live = true) =>
  ({ source, live, told_at: `2026-01-01T12:00:0${second}.000000Z` }) as Station;
type Told = ReadonlyMap<string, Station | null>;
const told = (...stations: Station[]) =>
  stations.reduce<Told>((known, data) => withTold(known, { kind: "station", data }), new Map());

test("what is told stands over what was read, unless that is newer", () => {
  const read = [at("hill", 1), at("creek", 5)];
  const all = together(read, told(at("hill", 1, false), at("creek", 4, false), at("mesa", 2)));
  expect(all.map(({ source, live }) => [source, live])).toEqual([
    ["creek", true],
    ["hill", false],
    ["mesa", true],
  ]);
});

test("what is not known any more is gone until it is told of again", () => {
  const gone = withTold(told(at("hill", 1)), { kind: "gone", data: { id: "hill" } });
  expect(together([at("hill", 1)], gone)).toEqual([]);
  expect(together([at("hill", 1)], withTold(gone, { kind: "station", data: at("hill", 3) }))).toHaveLength(1);
});

test("a station that has fallen silent since it told the same is silent, whichever way that came", () => {
  const lives = [[at("hill", 1, false)], told(at("hill", 1))] as const;
  expect(together(...lives).map(({ live }) => live)).toEqual([false]);
  expect(together([at("hill", 1)], told(at("hill", 1, false))).map(({ live }) => live)).toEqual([false]);
});
