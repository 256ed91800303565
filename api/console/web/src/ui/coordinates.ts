/**
 * Places in words, and words as places: degrees, MGRS, UTM; all WGS 84.
 *
 * UTM by Karney's series (2011, "Transverse Mercator with an accuracy of a few nanometers"), MGRS on top of it, both by
 * the package geodesy. Neither reaches the poles: beyond 84° N and 80° S places are told in degrees.
 */

import Mgrs, { LatLon } from "geodesy/mgrs.js";
import Utm from "geodesy/utm.js";

export type PlaceFormat = "latlon" | "mgrs" | "utm";

/** Latitude and longitude; degrees. */
export interface LatLonPlace {
  lat: number;
  lon: number;
}

const NORTHMOST = 84;
const SOUTHMOST = -80;

/** Decimals of degrees: to a decimetre. */
const DECIMETRE = 6;

/**
 * A place in a format: MGRS and UTM to a metre.
 *
 * @param lat degrees, -90 to 90
 * @param lon degrees, -180 to 180
 * @param decimals of degrees
 */
export function placeText(lat: number, lon: number, format: PlaceFormat, decimals = DECIMETRE): string {
  if (format === "latlon" || lat >= NORTHMOST || lat < SOUTHMOST) return degreesText(lat, lon, decimals);
  const utm = new LatLon(lat, lon).toUtm();
  if (format === "mgrs") return utm.toMgrs().toString(10);
  return `${utm.zone} ${utm.hemisphere} ${utm.easting.toFixed(0)} ${utm.northing.toFixed(0)}`;
}

function degreesText(lat: number, lon: number, decimals: number): string {
  const [north, east] = [Math.abs(lat).toFixed(decimals), Math.abs(lon).toFixed(decimals)];
  return `${north}° ${lat < 0 ? "S" : "N"}, ${east}° ${lon < 0 ? "W" : "E"}`;
}

const MGRS = /^(\d{1,2})\s*([C-HJ-NP-X])\s*([A-HJ-NP-Z])([A-HJ-NP-V])\s*(\d*)\s*(\d*)$/i;
const UTM = /^(\d{1,2})\s*([NS])\s+(\d{5,7}(?:\.\d+)?)\s+(\d{1,8}(?:\.\d+)?)$/i;
/** The place that somebody wrote, latitude first; null when it is none. */
export function readPlace(text: string): LatLonPlace | null {
  const written = text.trim();
  return readMgrs(written) ?? readUtm(written) ?? readDegrees(written);
}

function readMgrs(written: string): LatLonPlace | null {
  const found = MGRS.exec(written);
  if (found === null) return null;
  const [, zone = "", band = "", column = "", row = "", first = "", second = ""] = found;
  const digits = first + second;
  if (digits.length % 2 !== 0 || digits.length > 10 || (second !== "" && first.length !== second.length)) return null;
  const half = digits.length / 2;
  // The middle of the square that so few digits name, not its corner.
  const middle = (part: string) => `${part}${half < 5 ? "5" : ""}`.padEnd(5, "0");
  return tried(() =>
    new Mgrs(
      Number(zone),
      band.toUpperCase(),
      column.toUpperCase(),
      row.toUpperCase(),
      Number(middle(digits.slice(0, half))),
      Number(middle(digits.slice(half))),
    )
      .toUtm()
      .toLatLon(),
  );
}

function readUtm(written: string): LatLonPlace | null {
  const found = UTM.exec(written);
  if (found === null) return null;
  const [, zone = "", letter = "", easting = "", northing = ""] = found;
  const hemisphere = letter.toUpperCase() === "N" ? "N" : "S";
  return tried(() => new Utm(Number(zone), hemisphere, Number(easting), Number(northing)).toLatLon());
}

/** Geodesy throws for what is no place. */
function tried(read: () => LatLonPlace): LatLonPlace | null {
  try {
    const { lat, lon } = read();
    return { lat, lon };
  } catch {
    return null;
  }
}

const MARKS = /[°'′’"″”]/g;
const TOKEN = /[NSEW]|[+-]?\d+(?:\.\d+)?|[,;]/gi;

function readDegrees(written: string): LatLonPlace | null {
  const plain = written.replaceAll(MARKS, " ");
  if (plain.replaceAll(TOKEN, "").trim() !== "") return null;
  const [first, second, ...more] = halves(plain.toUpperCase().match(TOKEN) ?? []).map(angle);
  if (first == null || second == null || more.length > 0) return null;
  const swapped = first.axis === "lon" || second.axis === "lat";
  const [lat, lon] = swapped ? [second, first] : [first, second];
  if (lat.axis === "lon" || lon.axis === "lat") return null;
  return Math.abs(lat.degrees) <= 90 && Math.abs(lon.degrees) <= 180 ? { lat: lat.degrees, lon: lon.degrees } : null;
}

/** Tokens of each angle: divided by a comma, by the letters before or behind them, or in the middle. */
function halves(tokens: readonly string[]): readonly (readonly string[])[] {
  const comma = tokens.findIndex((token) => token === "," || token === ";");
  if (comma >= 0) return [tokens.slice(0, comma), tokens.slice(comma + 1)];
  const letters = tokens.flatMap((token, place) => (/[NSEW]/.test(token) ? [place] : []));
  const [one, other] = letters;
  if (one === undefined) return [tokens.slice(0, tokens.length / 2), tokens.slice(tokens.length / 2)];
  if (one === 0 && other !== undefined) return [tokens.slice(0, other), tokens.slice(other)];
  return [tokens.slice(0, one + 1), tokens.slice(one + 1)];
}

interface Angle {
  degrees: number;
  axis: "lat" | "lon" | null;
}

/** Degrees, or degrees and minutes, or those and seconds; only the last may have a fraction; a sign or a letter. */
function angle(tokens: readonly string[]): Angle | null {
  const letters = tokens.filter((token) => /[NSEW]/.test(token));
  const numbers = tokens.filter((token) => !/[NSEW]/.test(token));
  const [letter, another] = letters;
  const [degrees, minutes = "0", seconds = "0", more] = numbers;
  if (degrees === undefined || more !== undefined || another !== undefined || numbers.includes(",")) return null;
  if (letter !== undefined && tokens[0] !== letter && tokens.at(-1) !== letter) return null;
  if (
    numbers.slice(0, -1).some((number) => number.includes(".")) ||
    numbers.slice(1).some((number) => /[+-]/.test(number))
  )
    return null;
  const signed = /[+-]/.test(degrees);
  if ((signed && letter !== undefined) || Number(minutes) >= 60 || Number(seconds) >= 60) return null;
  const size = Math.abs(Number(degrees)) + Number(minutes) / 60 + Number(seconds) / 3600;
  const negative = letter === "S" || letter === "W" || degrees.startsWith("-");
  const axis = letter === undefined ? null : letter === "N" || letter === "S" ? "lat" : "lon";
  return { degrees: negative ? -size : size, axis };
}
