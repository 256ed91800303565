import "./measure.css";
import { useSignal } from "@preact/signals";
import type { FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { colour, Drawing, type DrawnLayer } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { readPlace } from "../coordinates";
import { useKeys } from "../keys";
import { Place } from "../Place";
import { Shortcut } from "../Shortcut";
import { wayBetween } from "./greatCircle";
import {
  addPoint,
  bearingText,
  choose,
  legs,
  lengthText,
  measuring,
  points,
  takeLast,
  toggleMeasuring,
  UNITS,
  unit,
} from "./measuring";

/** Takes the tool up, and puts it away. */
export function MeasureButton() {
  useKeys([{ key: "m", word: "app.measure", act: toggleMeasuring }]);
  useEffect(
    () => () => {
      if (measuring.peek()) toggleMeasuring();
    },
    [],
  );
  return (
    <button type="button" class="measure-button" aria-pressed={measuring.value} onClick={toggleMeasuring}>
      {t("app.measure")} <Shortcut of="m" />
    </button>
  );
}

/** On the map around it: distances and bearings from place to place, pointed at or written. */
export function Measure() {
  return measuring.value ? <Measuring /> : null;
}

function Measuring() {
  const shown = useMap();
  const data = useMemo(() => drawn(), [points.value]);
  useKeys([
    { key: "Escape", word: "app.measure_end", act: toggleMeasuring },
    { key: "Backspace", word: "app.measure_back", act: takeLast },
  ]);
  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const click = ({ lngLat }: MapMouseEvent) => addPoint([lngLat.lng, lngLat.lat]);
    map.on("click", click);
    map.getCanvas().style.cursor = "crosshair";
    return () => {
      map.off("click", click);
      map.getCanvas().style.cursor = "";
    };
  }, [shown]);
  const middle = () => {
    const centre = shown?.map.getCenter().wrap();
    if (centre !== undefined) addPoint([centre.lng, centre.lat]);
  };
  return (
    <>
      <Drawing id="measured" data={data} layers={layers} />
      <Panel onMiddle={middle} />
    </>
  );
}

function Panel({ onMiddle }: { onMiddle: () => void }) {
  const whole = legs.value.reduce((sum, { metres }) => sum + metres, 0);
  const last = points.value.at(-1);
  return (
    <section class="measure" aria-label={t("app.measure")}>
      <header>
        <h2>{t("app.measure")}</h2>
        <select aria-label={t("app.measure_unit")} value={unit.value} onChange={(event) => taken(event.currentTarget)}>
          {UNITS.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
        <button type="button" class="plain" aria-label={t("app.close")} onClick={toggleMeasuring}>
          ×
        </button>
      </header>
      <p class="sum" role="status">
        {legs.value.length === 0 ? (
          t("app.measure_how")
        ) : (
          <>
            <strong>{lengthText(whole, unit.value)}</strong>
            {legs.value.length === 1 && `, ${bearing(legs.value[0]?.bearing ?? 0)}`}
          </>
        )}
      </p>
      {legs.value.length > 1 && (
        <ol>
          {legs.value.map((leg, place) => (
            <li key={place}>
              {lengthText(leg.metres, unit.value)}, {bearing(leg.bearing)}
            </li>
          ))}
        </ol>
      )}
      {last !== undefined && (
        <p class="soft">
          {t("app.measure_last")} <Place lon={last[0] ?? 0} lat={last[1] ?? 0} />
        </p>
      )}
      <Written />
      <div class="row">
        <button type="button" onClick={onMiddle}>
          {t("app.measure_middle")}
        </button>
        <button type="button" disabled={last === undefined} onClick={takeLast}>
          {t("app.measure_back")}
        </button>
      </div>
    </section>
  );
}

/** A place that is written, for whoever does not point. */
function Written() {
  const text = useSignal("");
  const wrong = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const add = (event: Event) => {
    event.preventDefault();
    const place = readPlace(text.value);
    wrong.value = place === null;
    if (place === null) return;
    addPoint([place.lon, place.lat]);
    text.value = "";
    field.current?.focus();
  };
  return (
    <form class="row" onSubmit={add}>
      <input
        ref={field}
        aria-label={t("app.measure_place")}
        placeholder={t("app.measure_place")}
        aria-invalid={wrong.value}
        aria-describedby={wrong.value ? id : undefined}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          wrong.value = false;
        }}
      />
      <button type="submit">{t("app.measure_add")}</button>
      {wrong.value && (
        <p id={id} role="alert">
          {t("app.no_place")}
        </p>
      )}
    </form>
  );
}

const bearing = (degrees: number): string => t("app.measure_bearing", { bearing: bearingText(degrees) });

function taken({ value }: HTMLSelectElement): void {
  const chosen = UNITS.find((each) => each === value);
  if (chosen !== undefined) choose(chosen);
}

function drawn(): FeatureCollection {
  const all = points.value;
  const ways = all.slice(1).map((to, i) => wayBetween(all[i] ?? to, to));
  return {
    type: "FeatureCollection",
    features: [
      ...ways.map((coordinates) => ({
        type: "Feature" as const,
        properties: {},
        geometry: { type: "LineString" as const, coordinates },
      })),
      ...all.map((coordinates) => ({
        type: "Feature" as const,
        properties: {},
        geometry: { type: "Point" as const, coordinates },
      })),
    ],
  };
}

function layers(): readonly DrawnLayer[] {
  const [line, ground] = [colour("act"), colour("paper")];
  const round = { "line-cap": "round", "line-join": "round" } as const;
  return [
    { id: "measured-case", type: "line", layout: round, paint: { "line-color": ground, "line-width": 6 } },
    { id: "measured-way", type: "line", layout: round, paint: { "line-color": line, "line-width": 3 } },
    {
      id: "measured-points",
      type: "circle",
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 5, "circle-color": ground, "circle-stroke-color": line, "circle-stroke-width": 3 },
    },
  ];
}
