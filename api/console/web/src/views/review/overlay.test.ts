import { expect, test } from "vitest";
import { boxAt, nearestBox, tracksOf } from "./overlay";

const told = {
  tracks: [
    {
      number: 4,
      kind: "person",
      boxes: [
        { time_us: 2_000_000, x1: 20, y1: 10, x2: 30, y2: 40, score: 0.6 },
        { time_us: 1_000_000, x1: 10, y1: 10, x2: 20, y2: 40, score: 0.8 },
        { time_us: 5_000_000, x1: 90, y1: 10, x2: 99, y2: 40, score: 0.5 },
        { time_us: "late", x1: 0 },
      ],
    },
  ],
};

test("a box is between the detections before and after it, and nowhere in a long gap", () => {
  const [track] = tracksOf(told);
  if (track === undefined) throw new Error("no track");
  expect(track.boxes.map((box) => box.at)).toEqual([1000, 2000, 5000]);
  expect(boxAt(track, 1250)).toMatchObject({ x1: 12.5, x2: 22.5, y1: 10 });
  expect(boxAt(track, 2000)).toMatchObject({ x1: 20, score: 0.6 });
  for (const at of [999, 3000, 5001]) expect(boxAt(track, at)).toBeNull();
  expect(nearestBox([track], 4000)?.x1).toBe(90);
});

test("what is no overlay has no tracks", () => {
  for (const other of [null, [], "boxes", { tracks: 3 }]) expect(tracksOf(other)).toEqual([]);
});
