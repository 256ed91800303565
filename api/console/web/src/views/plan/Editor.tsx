import { useSignalEffect } from "@preact/signals";
import type { Map as MapLibre } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import {
  type GeoJSONStoreFeatures,
  type HexColor,
  TerraDraw,
  TerraDrawLineStringMode,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from "terra-draw";
import { colour } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { PenAdapter } from "../../map/pen";
import { measuring } from "../../ui/measure/measuring";
import { picked, tool } from "./chosen";
import { type Draft, newId } from "./draft";
import { changesOf, featuresOf } from "./drawn";
import { change, draft } from "./history";

const DRAWN = new Set(["border", "base", "zone"]);
const PREFIX = "plan-editor";

/** Draws and changes border, bases and zones with the pointer. The draft is the truth: this shows it, and changes it. */
export function Editor() {
  const shown = useMap();
  const drawn = useRef<TerraDraw | null>(null);
  /** Ids of what is drawn: the drawing tool refuses some shapes, and these stay in the draft undrawn. */
  const held = useRef<ReadonlySet<string>>(new Set());
  const put = (draw: TerraDraw, wanted: Draft) => {
    show(draw, wanted);
    held.current = idsOf(draw);
  };
  const take = (draw: TerraDraw) => {
    const changes = changesOf(draft.peek(), finished(draw), held.current);
    held.current = idsOf(draw);
    if (changes !== null) change(changes);
  };

  useEffect(() => {
    if (shown === null) return;
    const draw = terraDraw(shown.map);
    draw.start();
    drawn.current = draw;
    put(draw, draft.peek());
    draw.setMode(modeOf());
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
    if (drawn.current !== null) put(drawn.current, wanted);
  });
  useSignalEffect(() => {
    const wanted = modeOf();
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

/** What the pointer does to what is drawn: nothing while it measures. */
function modeOf(): string {
  return measuring.value ? "static" : tool.value;
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
    adapter: new PenAdapter(map, PREFIX),
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

function idsOf(draw: TerraDraw): ReadonlySet<string> {
  return new Set(finished(draw).map((feature) => String(feature.id)));
}
