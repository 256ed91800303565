import { expect, it, vi } from "vitest";
import { aboveGround, isDue } from "./height";

vi.mock("../../api/client", () => ({}));
vi.mock("../../app/session", () => ({}));

const HERE = [10, 45];
const north = (metres: number) => [10, 45 + metres / 111_195];

it("the ground of here is taken, of elsewhere not", () => {
  const told = { at: HERE, amsl: 300 };
  expect(aboveGround(told, north(90), 420)).toBe(120);
  expect(aboveGround(told, north(110), 420)).toBeNull();
  expect(aboveGround({ at: HERE, amsl: null }, HERE, 420)).toBeNull();
  expect(aboveGround(told, HERE, null)).toBeNull();
  expect(aboveGround(null, HERE, 420)).toBeNull();
});

it.each([
  [300, 20, false],
  [300, 30, true],
  [null, 1900, false],
  [null, 2100, true],
])("with the ground at %s, after %d m it is asked for: %s", (amsl, way, due) => {
  expect(isDue({ at: HERE, amsl }, north(way))).toBe(due);
});

it("it is asked for at first", () => {
  expect(isDue(null, HERE)).toBe(true);
});
