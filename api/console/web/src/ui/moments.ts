/** Moments as somebody writes them in a field of a form, local or in UTC. */

/**
 * What a field of type datetime-local shows of a moment.
 *
 * @param at RFC 3339; anything else is shown as nothing
 * @param utc whether the reader's clock is UTC
 */
export function writtenOf(at: string, utc: boolean): string {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return "";
  const [year, month, day, hour, minute] = utc
    ? [moment.getUTCFullYear(), moment.getUTCMonth(), moment.getUTCDate(), moment.getUTCHours(), moment.getUTCMinutes()]
    : [moment.getFullYear(), moment.getMonth(), moment.getDate(), moment.getHours(), moment.getMinutes()];
  return `${digits(year, 4)}-${digits(month + 1)}-${digits(day)}T${digits(hour)}:${digits(minute)}`;
}

/** The moment that such a field says, RFC 3339 in UTC; empty while it is not written whole. */
export function momentOf(written: string, utc: boolean): string {
  const moment = new Date(utc ? `${written}Z` : written);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString();
}

function digits(value: number, count = 2): string {
  return String(value).padStart(count, "0");
}
