import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { placeText, readPlace } from "./coordinates";

/** Longitude, latitude, UTM zone, hemisphere, easting, northing (PROJ), MGRS (GEOTRANS), written by the test that runs this. */
type Row = [number, number, number, "N" | "S", number, number, string];
const file = process.env.VEDETTE_PLACES;
const rows = file === undefined ? [] : (JSON.parse(readFileSync(file, "utf8")) as Row[]);

describe.skipIf(file === undefined)("beside PROJ and GEOTRANS", () => {
  test("UTM is theirs to the metre, and comes back", () => {
    expect(rows.length).toBeGreaterThan(500);
    for (const [lon, lat, zone, hemisphere, easting, northing] of rows) {
      const text = placeText(lat, lon, "utm");
      const [ownZone, ownHemisphere, ownEasting, ownNorthing] = text.split(" ");
      expect([Number(ownZone), ownHemisphere], text).toEqual([zone, hemisphere]);
      expect(Math.abs(Number(ownEasting) - easting), text).toBeLessThan(0.501);
      expect(Math.abs(Number(ownNorthing) - northing), text).toBeLessThan(0.501);
      near(text, lat, lon, 1);
    }
  });

  test("MGRS is theirs, and comes back", () => {
    for (const [lon, lat, , , , , mgrs] of rows) {
      const text = placeText(lat, lon, "mgrs");
      const [own, theirs] = [text.replaceAll(" ", ""), mgrs];
      expect(own.slice(0, -10), text).toBe(theirs.slice(0, -10));
      // GEOTRANS works to a decimetre, so that its last digit may be the next.
      for (const [from, to] of [
        [-10, -5],
        [-5, undefined],
      ] as const) {
        expect(Math.abs(Number(own.slice(from, to)) - Number(theirs.slice(from, to))), text).toBeLessThanOrEqual(1);
      }
      near(text, lat, lon, 1.5);
    }
  });
});

function near(text: string, lat: number, lon: number, metres: number): void {
  const read = readPlace(text);
  expect(read, text).not.toBeNull();
  if (read === null) return;
  const degrees = 111_320;
  const east = (((read.lon - lon + 540) % 360) - 180) * degrees * Math.cos((lat * Math.PI) / 180);
  expect(Math.hypot((read.lat - lat) * degrees, east), text).toBeLessThan(metres);
}

test.each([
  ["31.345, -110.93", 31.345, -110.93],
  ["31.345 -110.93", 31.345, -110.93],
  ["31.345° N, 110.93° W", 31.345, -110.93],
  ["N 31.345 W 110.93", 31.345, -110.93],
  ["110.93 W, 31.345 N", 31.345, -110.93],
  ["31°20'42\"N, 110°55'48\"W", 31.345, -110.93],
  ["31 20 42 N, 110 55 48 W", 31.345, -110.93],
  ["31° 20.7' N; 110° 55.8' W", 31.345, -110.93],
])("%s is a place", (text, lat, lon) => {
  const read = readPlace(text);
  expect(read?.lat).toBeCloseTo(lat, 9);
  expect(read?.lon).toBeCloseTo(lon, 9);
});

test.each([
  "",
  "here",
  "91, 0",
  "0, 181",
  "31 N, 20 N",
  "31.5 61 N, 20 E",
  "12 W, 13 W",
  "61 N 500000 0",
  "33ZZZ1234",
  "33TWN123",
])("%s is none", (text) => {
  expect(readPlace(text)).toBeNull();
});

test("few digits name a square, and its middle is meant", () => {
  const whole = readPlace("33T WN 00 00");
  const middle = readPlace("33T WN 00500 00500");
  expect(whole?.lat).toBeCloseTo(middle?.lat ?? 0, 9);
  expect(whole?.lon).toBeCloseTo(middle?.lon ?? 0, 9);
});

test.each(["latlon", "mgrs", "utm"] as const)("the poles are told in degrees: %s", (format) => {
  expect(placeText(84.5, 12, format)).toBe("84.500000° N, 12.000000° E");
  expect(placeText(84.5, -112.123456, format, 4)).toBe("84.5000° N, 112.1235° W");
  expect(placeText(-80.5, -12, format)).toBe("80.500000° S, 12.000000° W");
});
