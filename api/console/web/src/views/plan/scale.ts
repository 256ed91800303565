/** The colour scale of the revisit map: five steps, of rising lightness for every eye. */

import { theme } from "../../app/preferences";

const STEPS = 5;
/** The step of a scale that has one alone. */
export const EVEN = 2;

/** Cividis, sampled; by night red alone. Light themes go from pale to dark, dark ones the other way round. */
const COLOURS = {
  light: ["#c9b458", "#a89a5f", "#7c7b78", "#4a5a6d", "#00224e"],
  dark: ["#2f4f86", "#5d6b8a", "#8a8779", "#bfab5c", "#fee838"],
  night: ["#3d0808", "#6b1010", "#982020", "#c94036", "#ff7a6c"],
} as const;

/** Colours of the steps in the theme. */
export function scaleColours(): readonly string[] {
  return COLOURS[theme.value];
}

export interface Scale {
  /** Upper ends of the steps, seconds; fewer where few values are. */
  ends: readonly number[];
  step: (seconds: number | null) => number;
}

/** A scale from the least to the greatest of some times, seconds; null is the last step. */
export function scaleOf(times: readonly (number | null)[]): Scale {
  const known = times.filter((each): each is number => each !== null);
  if (known.length === 0) return { ends: [], step: () => STEPS - 1 };
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (high - low < 1) return { ends: [high], step: () => EVEN };
  const ends = Array.from({ length: STEPS }, (_, place) => low + ((place + 1) * (high - low)) / STEPS);
  return {
    ends,
    step: (s) => (s === null ? STEPS - 1 : Math.min(STEPS - 1, Math.floor(((s - low) / (high - low)) * STEPS))),
  };
}
