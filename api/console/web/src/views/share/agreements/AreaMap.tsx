import type { FeatureCollection } from "geojson";
import { useMemo } from "preact/hooks";
import { t } from "../../../i18n";
import { colour, Drawing } from "../../../map/Drawing";
import { MapView } from "../../../map/MapView";
import { type Area, boxOfArea } from "./area";

/** Where an agreement counts. */
export function AreaMap({ area }: { area: Area }) {
  const key = JSON.stringify(area);
  const box = useMemo(() => boxOfArea(area), [key]);
  if (box === null) return null;
  return (
    <div class="area-map" key={key}>
      <MapView label={t("share.area")} box={box}>
        <DrawnArea area={area} />
      </MapView>
    </div>
  );
}

/** An area on the map around it. */
export function DrawnArea({ area }: { area: Area }) {
  const data = useMemo<FeatureCollection>(
    () => ({ type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: area }] }),
    [area],
  );
  return (
    <Drawing
      id="area"
      data={data}
      layers={() => [
        { id: "area-ground", type: "fill", paint: { "fill-color": colour("act"), "fill-opacity": 0.15 } },
        { id: "area-edge", type: "line", paint: { "line-color": colour("act"), "line-width": 2 } },
      ]}
    />
  );
}
