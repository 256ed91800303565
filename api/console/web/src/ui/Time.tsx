import { clock } from "../app/preferences";

/** A moment in the reader's clock; the machine-readable one is in the element. */
export function Time({ at, date = true }: { at: string; date?: boolean }) {
  return <time dateTime={at}>{timeText(at, date)}</time>;
}

/**
 * A moment in the reader's clock, written by ISO 8601, so that nobody takes a month for a day: `2026-11-27 09:06:33`;
 * with `Z` behind it in UTC.
 *
 * @param at RFC 3339
 * @param date whether the day is said too
 */
export function timeText(at: string, date = true): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return at;
  const utc = clock.value === "utc";
  const there = utc ? moment : new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  const [day = "", rest = ""] = there.toISOString().split("T");
  const time = rest.slice(0, "hh:mm:ss".length);
  return `${date ? `${day} ` : ""}${time}${utc ? "Z" : ""}`;
}

/** What the machine's zone is called at a moment (RFC 3339; now where it is none): `GMT+2`. A browser's own words take it long. */
export function zoneText(at = ""): string {
  const moment = new Date(at);
  const ahead = -(Number.isNaN(moment.getTime()) ? new Date() : moment).getTimezoneOffset();
  const minutes = Math.abs(ahead) % 60;
  const hours = Math.trunc(Math.abs(ahead) / 60);
  return `GMT${ahead < 0 ? "-" : "+"}${hours}${minutes === 0 ? "" : `:${String(minutes).padStart(2, "0")}`}`;
}
