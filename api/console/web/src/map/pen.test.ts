import type { Map as MapLibre } from "maplibre-gl";
import { afterEach, expect, test, vi } from "vitest";
import { PenAdapter } from "./pen";

/** As much of a map as is drawn on, and what its sources were given. */
function mapOf(sources: Map<string, unknown[]>) {
  const off = { isEnabled: () => false };
  return {
    style: {},
    dragRotate: off,
    dragPan: off,
    getContainer: () => ({}),
    getSource: (id: string) => {
      const given = sources.get(id);
      return given && { setData: (data: { features: unknown[] }) => given.splice(0, given.length, ...data.features) };
    },
  };
}

const POINT = {
  id: "a",
  type: "Feature",
  geometry: { type: "Point", coordinates: [0, 0] },
  properties: { mode: "base" },
};
const MODES = { base: () => ({}) };
const NEW = { created: [POINT], updated: [], unchanged: [], deletedIds: [] };

/** A pen with something to put on the map at the next frame, and that frame. */
function waiting(sources: Map<string, unknown[]>) {
  const frames: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (next: () => void) => frames.push(next));
  const map = mapOf(sources);
  const pen = new PenAdapter(map as unknown as MapLibre, "pen");
  Object.assign(pen, { _currentModeCallbacks: {} });
  pen.render(NEW as never, MODES as never);
  return { map, frame: () => frames.forEach((next) => void next()) };
}

afterEach(() => vi.unstubAllGlobals());

test("what is drawn is put on the map at the next frame", () => {
  const sources = new Map<string, unknown[]>([["pen-point", []]]);
  waiting(sources).frame();
  expect(sources.get("pen-point")).toEqual([POINT]);
});

test("a style that was set anew before the next frame has nothing to put it on", () => {
  const sources = new Map<string, unknown[]>([["pen-point", []]]);
  const { frame } = waiting(sources);
  sources.clear();
  expect(frame).not.toThrow();
});

test("nor has a map that is gone", () => {
  const { map, frame } = waiting(new Map([["pen-point", []]]));
  Object.assign(map, {
    style: undefined,
    getSource: () => {
      throw new TypeError("its style is gone");
    },
  });
  expect(frame).not.toThrow();
});
