import type { Feature } from "geojson";
import type { GeoJSONSource } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { theme } from "../../app/preferences";
import { t } from "../../i18n";
import { Drawing } from "../../map/Drawing";
import { useMap } from "../../map/MapView";
import { collection, point, vehicleLayers } from "./layers";
import type { Vehicle } from "./records";
import { addSymbol, lookOf } from "./symbols";
import type { Watch } from "./watch";
import { speedText } from "./words";

/** How often vehicles move on the map; four times a second looks like motion and costs little. */
const STEP_MS = 250;
/** And while somebody drags it, who wants the ground to keep up with the hand. */
const DRAGGED_STEP_MS = 2000;

interface Props {
  watch: Watch;
  /** Which vehicle is looked at. */
  chosen: string | null;
  /** Whether the map goes along with it. */
  follows: boolean;
}

/** Vehicles on the map around it. */
export function Fleet({ watch, chosen, follows }: Props) {
  const shown = useMap();
  const latest = useRef({ chosen, follows });
  latest.current = { chosen, follows };
  const tone = theme.value;

  // As the map asks for them: most of the looks are never seen, and each costs the first view some.
  useEffect(() => {
    if (shown === null) return;
    const asked = shown.map.on("styleimagemissing", ({ id }) => addSymbol(shown.map, id, tone));
    return () => asked.unsubscribe();
  }, [shown, tone]);

  useEffect(() => {
    if (shown === null) return;
    const { map } = shown;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let drawn = 0;
    const draw = (now: number) => {
      const source = map.getSource("fly-vehicles") as GeoJSONSource | undefined;
      if (source === undefined) return;
      const alarmed = new Set(
        watch.alarms.list
          .peek()
          .filter((each) => each.holds)
          .map((each) => each.record),
      );
      const placed = [...watch.vehicles.all.peek().values()];
      source.setData(collection(placed.flatMap((each) => feature(watch, each, now, alarmed, latest.current.chosen))));
      if (latest.current.follows && latest.current.chosen !== null) {
        const at = watch.motion.place(latest.current.chosen, now);
        if (at !== null)
          map.easeTo({ center: [at[0] ?? 0, at[1] ?? 0], duration: still ? 0 : STEP_MS, easing: (x) => x });
      }
    };
    let stirred = true;
    const timer = setInterval(() => {
      const now = performance.now();
      const step = still || map.dragPan.isActive() ? DRAGGED_STEP_MS : STEP_MS;
      if (document.hidden || now - drawn < step - 20) return;
      if (!stirred && !watch.motion.moves(drawn)) return; // where a way ended since it was drawn, its end is still to be
      stirred = false;
      drawn = now;
      draw(now);
    }, STEP_MS);
    const stir = () => {
      stirred = true;
    };
    const ends = [watch.vehicles.all.subscribe(stir), watch.alarms.list.subscribe(stir)];
    draw(performance.now());
    return () => {
      clearInterval(timer);
      for (const end of ends) end();
    };
  }, [shown, watch, chosen, follows, tone]);

  return <Drawing id="fly-vehicles" layers={vehicleLayers} />;
}

function feature(
  watch: Watch,
  one: Vehicle,
  now: number,
  alarmed: ReadonlySet<string>,
  chosen: string | null,
): Feature[] {
  const at = watch.motion.place(one.id, now);
  if (at === null || one.at === null) return [];
  const heading = one.heading ?? one.course;
  const above = one.altitude === null ? "" : t("fly.amsl", { metres: Math.round(one.altitude) });
  const second = [above, one.speed === null ? "" : speedText(one.speed)].filter((each) => each !== "").join(" · ");
  return [
    point(one.id, at, {
      look: lookOf(one),
      old: one.live === null || one.live.stale,
      label: second === "" ? one.name : `${one.name}\n${second}`,
      chosen: one.id === chosen,
      alarmed: alarmed.has(one.id),
      ...(heading === null ? {} : { heading }),
    }),
  ];
}
