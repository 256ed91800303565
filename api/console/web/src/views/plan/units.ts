/** Figures in words, with their units, as the reader's language writes numbers. */

import { language } from "../../app/preferences";

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(
    value,
  );
}

/** A length: metres, from 1 km on kilometres. */
export function metres(m: number): string {
  return Math.abs(m) >= 1000 ? `${number(m / 1000, 1)} km` : `${number(m, 0)} m`;
}

/** A height or a lateral distance. */
export function height(m: number): string {
  return `${number(m, 0)} m`;
}

/** A span of time: hours, minutes and seconds, none that is zero. */
export function span(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ] as const;
  // Seconds of hours are no longer worth a word.
  const said = parts.filter(([count, unit]) => count > 0 && !(unit === "s" && whole >= 3600));
  const text = said.map(([count, unit]) => `${count} ${unit}`).join(" ");
  return `${seconds < 0 && text !== "" ? "−" : ""}${text === "" ? "0 s" : text}`;
}

/** A share of 0 to 1. */
export function percent(share: number): string {
  return `${number(share * 100, 1)} %`;
}

/** Watt hours. */
export function energy(wh: number): string {
  return Math.abs(wh) >= 10_000 ? `${number(wh / 1000, 1)} kWh` : `${number(wh, 0)} Wh`;
}

/** Seconds of a shift as a clock: hours and minutes after its start. */
export function shiftClock(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** Bytes of a file. */
export function bytes(size: number): string {
  return size >= 1_000_000 ? `${number(size / 1_000_000, 1)} MB` : `${number(Math.max(1, size / 1000), 0)} kB`;
}
