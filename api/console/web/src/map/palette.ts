import type { Theme } from "../app/preferences";

/** Colours of the base map. It stays in the background: what matters is drawn over it. */
export interface Palette {
  /** Of ground that has not come yet: neither of land nor of water, between the two. */
  unknown: string;
  water: string;
  land: string;
  coast: string;
  border: string;
  label: string;
  /** Around labels. */
  halo: string;
  /** Of an operator's map. */
  green: string;
  building: string;
  road: string;
  /** What of an operator's map has no colour of its own. */
  line: string;
}

export const PALETTES: Record<Theme, Palette> = {
  light: {
    unknown: "#e2e3e2",
    water: "#cfdde5",
    land: "#f5f3ee",
    coast: "#93a9b7",
    border: "#7b7080",
    label: "#565c63",
    halo: "#f5f3ee",
    green: "#e4e9db",
    building: "#e0dbd3",
    road: "#c9c1b4",
    line: "#b4b0a8",
  },
  dark: {
    unknown: "#131b23",
    water: "#0a1118",
    land: "#1b242d",
    coast: "#3d4f5e",
    border: "#7d8a96",
    label: "#a3b0bb",
    halo: "#141b22",
    green: "#1d2b28",
    building: "#29343f",
    road: "#3a4753",
    line: "#3d4853",
  },
  // Red alone: green and blue light take the eye's adaptation to the dark.
  night: {
    unknown: "#0c0000",
    water: "#000000",
    land: "#190000",
    coast: "#4a0000",
    border: "#8a0000",
    label: "#b00000",
    halo: "#000000",
    green: "#1c0000",
    building: "#260000",
    road: "#3a0000",
    line: "#360000",
  },
};
