import { clock, language } from "../app/preferences";

/** A moment in the reader's clock; the machine-readable one is in the element. */
export function Time({ at, date = true }: { at: string; date?: boolean }) {
  return <time dateTime={at}>{timeText(at, date)}</time>;
}

/**
 * A moment as the reader likes it: with seconds, and with `Z` in UTC.
 *
 * @param at RFC 3339
 * @param date whether the day is said too
 */
export function timeText(at: string, date = true): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return at;
  const utc = clock.value === "utc";
  const text = new Intl.DateTimeFormat(language.value, {
    ...(date ? { year: "numeric", month: "2-digit", day: "2-digit" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(utc ? { timeZone: "UTC" } : {}),
  }).format(moment);
  return utc ? `${text}Z` : text;
}
