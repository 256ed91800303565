import { useSignalEffect } from "@preact/signals";
import type { Map as MapLibre } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import {
  type GeoJSONStoreFeatures,
  type HexColor,
  TerraDraw,
  TerraDrawExtend,
  TerraDrawLineStringMode,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { colour } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { picked, tool } from "./chosen";
import { type Draft, newBase, newId, newLine, newZone, type Point } from "./draft";
import { change, draft } from "./history";

const DRAWN = new Set(["border", "base", "zone"]);
const PREFIX = "plan-editor";

/** Draws and changes border, bases and zones with the pointer. The draft is the truth: this shows it, and changes it. */
export function Editor() {
  const shown = useMap();
  const drawn = useRef<TerraDraw | null>(null);

  useEffect(() => {
    if (shown === null) return;
    const draw = terraDraw(shown.map);
    draw.start();
    drawn.current = draw;
    show(draw, draft.peek());
    draw.setMode(tool.peek());
    draw.on("finish", (id) => {
      const drew = draw.getMode() !== "select";
      take(draw);
      if (!drew) return;
      tool.value = "select";
      picked.value = String(id);
    });
    draw.on("change", (_ids, type, context) => {
      const own = context !== undefined && "origin" in context && context.origin === "api";
      if (type === "delete" && !own) take(draw);
    });
    draw.on("select", (id) => {
      picked.value = String(id);
    });
    draw.on("deselect", () => {
      picked.value = null;
    });
    return () => {
      drawn.current = null;
      if (shown.map.style !== undefined) draw.stop();
    };
  }, [shown]); // a theme brings a style of its own, and with it another turn of what is shown

  useSignalEffect(() => {
    const wanted = draft.value;
    if (drawn.current !== null) show(drawn.current, wanted);
  });
  useSignalEffect(() => {
    const wanted = tool.value;
    const draw = drawn.current;
    if (draw === null) return;
    if (draw.getMode() !== wanted) draw.setMode(wanted);
    const id = picked.value;
    if (wanted === "select" && id !== null && draw.hasFeature(id)) {
      if (draw.getSnapshotFeature(id)?.properties.selected !== true) draw.selectFeature(id);
    }
  });
  return null;
}

/** A style that was set anew has taken the layers of the drawing away: there is nothing to clear then. */
class Adapter extends TerraDrawMapLibreGLAdapter<MapLibre> {
  readonly #map: MapLibre;

  constructor(map: MapLibre) {
    super({ map, coordinatePrecision: 7, prefixId: PREFIX });
    this.#map = map;
  }

  override clear(): void {
    if (this.#drawn) super.clear();
  }

  override unregister(): void {
    if (this.#drawn) super.unregister();
    else TerraDrawExtend.TerraDrawBaseAdapter.prototype.unregister.call(this);
  }

  get #drawn(): boolean {
    return this.#map.getSource(`${PREFIX}-point`) !== undefined;
  }
}

function terraDraw(map: MapLibre): TerraDraw {
  const [line, act, ink, ground, bad] = ["crossing", "act", "ink", "paper", "bad"].map((name) => colour(name)) as [
    HexColor,
    HexColor,
    HexColor,
    HexColor,
    HexColor,
  ];
  const points = {
    selectionPointColor: ground,
    selectionPointOutlineColor: act,
    selectionPointOutlineWidth: 3,
    selectionPointWidth: 6,
    midPointColor: act,
    midPointOutlineColor: ground,
    midPointOutlineWidth: 1,
    midPointWidth: 4,
  };
  const closing = { closingPointColor: act, closingPointOutlineColor: ground, closingPointWidth: 6 };
  const snapping = { toCoordinate: true, toLine: true };
  const coordinates = { draggable: true, deletable: true, midpoints: true, snappable: true };
  return new TerraDraw({
    adapter: new Adapter(map),
    idStrategy: { isValidId: (id): id is string => typeof id === "string" && id !== "", getId: newId },
    modes: [
      new TerraDrawSelectMode({
        flags: {
          border: { feature: { draggable: false, coordinates } },
          zone: { feature: { draggable: true, coordinates } },
          base: { feature: { draggable: true } },
        },
        styles: {
          ...points,
          selectedLineStringColor: act,
          selectedLineStringWidth: 4,
          selectedPolygonColor: bad,
          selectedPolygonOutlineColor: act,
          selectedPolygonOutlineWidth: 3,
          selectedPolygonFillOpacity: 0.25,
          selectedPointColor: act,
          selectedPointOutlineColor: ink,
          selectedPointOutlineWidth: 2,
          selectedPointWidth: 9,
        },
      }),
      new TerraDrawLineStringMode({
        modeName: "border",
        snapping,
        styles: { lineStringColor: line, lineStringWidth: 3, ...closing },
      }),
      new TerraDrawPolygonMode({
        modeName: "zone",
        snapping,
        styles: { fillColor: bad, fillOpacity: 0.18, outlineColor: bad, outlineWidth: 2, ...closing },
      }),
      new TerraDrawPointMode({
        modeName: "base",
        styles: { pointColor: ground, pointOutlineColor: ink, pointOutlineWidth: 3, pointWidth: 7 },
      }),
    ],
  });
}

/** Draw a draft, but for what is drawn already. */
function show(draw: TerraDraw, wanted: Draft): void {
  const there = new Map(finished(draw).map((feature) => [String(feature.id), feature]));
  const features = featuresOf(wanted);
  const ids = new Set(features.map((feature) => String(feature.id)));
  const gone = [...there.keys()].filter((id) => !ids.has(id));
  for (const id of gone) if (there.get(id)?.properties.selected === true) draw.deselectFeature(id);
  if (gone.length > 0) draw.removeFeatures(gone);
  const missing = features.filter((feature) => !there.has(String(feature.id)));
  if (missing.length > 0) draw.addFeatures(missing);
  for (const { id = "", geometry } of features) {
    const old = there.get(String(id));
    if (old === undefined || JSON.stringify(old.geometry.coordinates) === JSON.stringify(geometry.coordinates))
      continue;
    // Its handles follow when it is selected anew.
    const selected = old.properties.selected === true;
    if (selected) draw.deselectFeature(id);
    draw.updateFeatureGeometry(id, geometry);
    if (selected) draw.selectFeature(id);
  }
}

function featuresOf({ lines, bases, zones }: Draft): GeoJSONStoreFeatures[] {
  return [
    ...zones.map((zone) => stored(zone.id, "zone", { type: "Polygon", coordinates: [zone.ring] })),
    ...lines.map((line) => stored(line.id, "border", { type: "LineString", coordinates: line.points })),
    ...bases.map((base) => stored(base.id, "base", { type: "Point", coordinates: base.at })),
  ];
}

function stored(id: string, mode: string, geometry: GeoJSONStoreFeatures["geometry"]): GeoJSONStoreFeatures {
  return { type: "Feature", id, properties: { mode }, geometry };
}

/** What is drawn to its end: no handles, nothing in the making. */
function finished(draw: TerraDraw): GeoJSONStoreFeatures[] {
  return draw.getSnapshot().filter(({ properties }) => {
    const helps = [
      "currentlyDrawing",
      "selectionPoint",
      "midPoint",
      "closingPoint",
      "snappingPoint",
      "coordinatePoint",
    ];
    return DRAWN.has(String(properties.mode)) && !helps.some((name) => properties[name] === true);
  });
}

/** Bring what was drawn into the draft, if it is another. */
function take(draw: TerraDraw): void {
  const now = draft.peek();
  const next: Draft = { ...now, lines: [], bases: [], zones: [] };
  const [lines, bases, zones] = [byId(now.lines), byId(now.bases), byId(now.zones)];
  for (const { id, geometry } of finished(draw)) {
    const name = String(id);
    if (geometry.type === "LineString") {
      const points = geometry.coordinates as Point[];
      const old = lines.get(name);
      next.lines.push(old === undefined ? newLine(now, points, "", name) : { ...old, points });
    } else if (geometry.type === "Polygon") {
      const ring = (geometry.coordinates[0] ?? []) as Point[];
      const old = zones.get(name);
      next.zones.push(old === undefined ? newZone(now, ring, "", name) : { ...old, ring });
    } else if (geometry.type === "Point") {
      const at = geometry.coordinates as Point;
      const old = bases.get(name);
      next.bases.push(old === undefined ? newBase(now, at, "", name) : { ...old, at });
    }
  }
  const members = {
    lines: inOrder(now.lines, next.lines),
    bases: inOrder(now.bases, next.bases),
    zones: inOrder(now.zones, next.zones),
  };
  const border = members.lines.length > now.lines.length ? { border: "drawn" as const } : {};
  if (JSON.stringify({ ...now, ...members }) !== JSON.stringify(now)) change({ ...members, ...border });
}

const byId = <T extends { id: string }>(all: readonly T[]): Map<string, T> => new Map(all.map((one) => [one.id, one]));

/** In the order of before, what is new behind. */
function inOrder<T extends { id: string }>(was: readonly T[], now: readonly T[]): T[] {
  const places = new Map(was.map((one, place) => [one.id, place]));
  const of = (one: T) => places.get(one.id) ?? was.length;
  return [...now].sort((a, b) => of(a) - of(b));
}
