import type { StyleSpecification } from "maplibre-gl";
import type { Theme } from "../app/preferences";

const GROUND: Record<Theme, string> = { light: "#dfe7ec", dark: "#0b1117", night: "#000000" };

/** The base map's style. */
export function mapStyle(theme: Theme, _language: string): StyleSpecification {
  return {
    version: 8,
    sources: {},
    layers: [{ id: "ground", type: "background", paint: { "background-color": GROUND[theme] } }],
  };
}
