/** Symbols of own aircraft after APP-6D (MIL-STD-2525D), drawn once for each look. */

import type { Map as MapLibre } from "maplibre-gl";
import type { SymbolOptions } from "milsymbol";
import { ms, numberair } from "milsymbol/parts";
import type { Theme } from "../../app/preferences";
import { colour } from "../../map/Drawing";
import type { Frame, Vehicle } from "./records";

ms.addIcons(numberair);

/** A frame that is not told is one of which the standard says no more than whose it is. */
type Body = Frame | "unknown";

/** Set, entity and modifiers: rotary and fixed wing unmanned aircraft, the latter V/STOL too; the frame of a land vehicle. */
const ENTITIES: Record<Body, { set: string; entity: string }> = {
  copter: { set: "01", entity: "1104000000" },
  plane: { set: "01", entity: "1103000000" },
  vtol: { set: "01", entity: "1103000800" },
  ground: { set: "15", entity: "0000000000" },
  unknown: { set: "00", entity: "0000000000" },
};
/** One that is not known to be there is old. */
const STATES = ["present", "old"] as const;
type State = (typeof STATES)[number];
const SIZE = 26;
const RATIO = 2;
/** Pixels of the page. */
const HEADING = { width: 20, height: 18 };

/** How a vehicle looks: one image of the map each. */
export function lookOf(vehicle: Vehicle): string {
  return nameOf(vehicle.frame ?? "unknown", vehicle.live === null || vehicle.live.stale ? "old" : "present");
}

function nameOf(body: Body, state: State): string {
  return `own-${body}-${state}`;
}

/** Put one of the looks on the map, by its name, in the colours of the theme; other images are somebody else's. */
export function addSymbol(map: MapLibre, name: string, theme: Theme): void {
  if (name === "own-heading") add(map, name, heading());
  for (const body of Object.keys(ENTITIES) as Body[]) {
    for (const state of STATES) if (name === nameOf(body, state)) add(map, name, symbol(body, state, theme));
  }
}

const urls = new Map<string, string>();

/** What a list shows beside a name: the symbol as the address of a picture. */
export function symbolUrl(frame: Frame | null, old: boolean, theme: Theme): string {
  const body = frame ?? "unknown";
  const key = `${body} ${old} ${theme}`;
  const url = urls.get(key) ?? symbol(body, old ? "old" : "present", theme).toDataURL("image/png");
  urls.set(key, url);
  return url;
}

/** `old` is drawn with a broken frame, as what is not known to be there. */
function symbol(body: Body, state: State, theme: Theme): HTMLCanvasElement {
  const { set, entity } = ENTITIES[body];
  const code = `1003${set}${state === "old" ? "1" : "0"}000${entity}`;
  return new ms.Symbol(code, { size: SIZE, strokeWidth: 5, infoFields: false, ...looks(theme) }).asCanvas(RATIO);
}

/** In the colours of the standard where the theme has them; its frame and sign in those of the text on a dark map. */
function looks(theme: Theme): Partial<SymbolOptions> {
  const ink = colour("ink");
  switch (theme) {
    case "light":
      return { colorMode: "Light", outlineColor: colour("paper"), outlineWidth: 4 };
    case "dark": {
      const frameColor = { Civilian: ink, Friend: ink, Hostile: ink, Neutral: ink, Unknown: ink, Suspect: ink };
      return { colorMode: "Dark", frameColor, iconColor: ink };
    }
    case "night":
      return { monoColor: ink, fill: false };
  }
}

/** An arrow head that points up; the map draws it away from the middle, and turns it about that. */
function heading(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = HEADING.width * RATIO;
  canvas.height = HEADING.height * RATIO;
  const pen = canvas.getContext("2d");
  if (pen === null) return canvas;
  pen.scale(RATIO, RATIO);
  pen.beginPath();
  pen.moveTo(10, 2);
  pen.lineTo(18, 15);
  pen.lineTo(10, 11);
  pen.lineTo(2, 15);
  pen.closePath();
  pen.fillStyle = colour("own");
  pen.strokeStyle = colour("paper");
  pen.lineWidth = 2;
  pen.stroke();
  pen.fill();
  return canvas;
}

function add(map: MapLibre, name: string, canvas: HTMLCanvasElement): void {
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  map.addImage(name, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: RATIO });
}
