import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TerraDraw, TerraDrawPolygonMode } from "terra-draw";
import { t } from "../../../i18n";
import { colour } from "../../../map/Drawing";
import { type Box, MapView, useMap } from "../../../map/MapView";
import { PenAdapter } from "../../../map/pen";
import { InputField } from "../../../ui/fields";
import { DrawnArea } from "./AreaMap";
import { boxOfArea, readArea, ringsOf } from "./area";
import { draft, takeArea } from "./draft";

const WORLD: Box = [-30, -40, 60, 65];

/** The area of the draft: drawn on the map, pasted, or read from a file. */
export function AreaDraw() {
  const fault = useSignal<string | null>(null);
  const area = draft.area.value;
  const corners = area === null ? 0 : ringsOf(area).reduce((sum, ring) => sum + ring.length - 1, 0);
  return (
    <div class="stack">
      <p id="draw-help" class="soft">
        {t("share.draw_help")}
      </p>
      <div class="area-map">
        <MapView label={t("share.draw")} box={(area === null ? null : boxOfArea(area)) ?? WORLD}>
          {area === null ? <Pen /> : <DrawnArea area={area} />}
          {area !== null && <Look />}
        </MapView>
      </div>
      <div class="row">
        <output>{area === null ? t("share.no_area") : t("share.corners", { count: corners })}</output>
        <button
          type="button"
          disabled={area === null}
          onClick={() => {
            draft.area.value = null;
            draft.areaText.value = "";
          }}
        >
          {t("share.draw_again")}
        </button>
        <label class="button">
          {t("share.import")}
          <input
            type="file"
            accept=".json,.geojson,application/geo+json"
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0];
              if (file !== undefined) fault.value = takeArea(await file.text());
            }}
          />
        </label>
      </div>
      <details>
        <summary>{t("share.paste")}</summary>
        <InputField label={t("share.geojson")} value={draft.areaText} rows={5} />
        <button
          type="button"
          onClick={() => {
            fault.value = takeArea(draft.areaText.value);
          }}
        >
          {t("share.take")}
        </button>
      </details>
      <p role="alert">{fault.value}</p>
    </div>
  );
}

/** Draws one polygon: a corner at each click, done at the first corner or with Enter. */
function Pen() {
  const shown = useMap();
  const pen = useRef<TerraDraw | null>(null);
  useEffect(() => {
    if (shown === null) return;
    const [line, ground] = [colour("act") as `#${string}`, colour("paper") as `#${string}`];
    const made = new TerraDraw({
      adapter: new PenAdapter(shown.map, "pen"),
      modes: [
        new TerraDrawPolygonMode({
          styles: {
            fillColor: line,
            fillOpacity: 0.15,
            outlineColor: line,
            outlineWidth: 2,
            closingPointColor: line,
            closingPointOutlineColor: ground,
          },
        }),
      ],
    });
    made.start();
    made.setMode("polygon");
    made.on("finish", (id) => {
      const read = readArea(JSON.stringify(made.getSnapshotFeature(id)?.geometry));
      if ("area" in read) draft.area.value = read.area;
    });
    pen.current = made;
    return () => {
      if (shown.map.style !== undefined) made.stop();
      pen.current = null;
    };
  }, [shown]);
  return null;
}

/** Goes where the area is that came from elsewhere. */
function Look() {
  const shown = useMap();
  const area = draft.area.value;
  useEffect(() => {
    const box = area === null ? null : boxOfArea(area);
    if (shown !== null && box !== null) shown.map.fitBounds(box, { padding: 40, animate: false });
  }, [shown, area]);
  return null;
}
