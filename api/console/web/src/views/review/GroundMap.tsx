import type { FeatureCollection } from "geojson";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { dataOf, service } from "../../api/client";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { colour, Drawing, type DrawnLayer } from "../../map/Drawing";
import { type Box, MapView, useMap } from "../../map/MapView";
import { report } from "../../ui/failure";
import { Place } from "../../ui/Place";
import { Time } from "../../ui/Time";
import type { Crossing } from "./crossing";
import { moment } from "./details";
import { boxAround, collected, lineOf, outline, wayUntil, whereAt } from "./ground";

const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Where it was: the border, the way on the ground up to the picture that is shown, and how sure the place is. */
export function GroundMap({ crossing }: { crossing: Crossing }) {
  const box = useMemo(() => boxOf(crossing), [crossing]);
  if (box === null) return <p class="nothing">{t("review.no_place")}</p>;
  return (
    <>
      <MapView label={t("review.map")} box={box}>
        <Fit box={box} />
        <Border box={box} />
        <Whole crossing={crossing} />
        <Now crossing={crossing} />
      </MapView>
      <Where crossing={crossing} />
    </>
  );
}

/** Show all of it whenever another one is opened. */
function Fit({ box }: { box: Box }) {
  const shown = useMap();
  const fitted = useRef<Box | null>(null);
  useEffect(() => {
    if (shown === null || fitted.current === box) return;
    fitted.current = box;
    shown.map.fitBounds(box, { padding: 30, maxZoom: 20, animate: false });
  }, [shown, box]);
  return null;
}

function Border({ box }: { box: Box }) {
  const [lines, setLines] = useState(NOTHING);
  const bbox = box.map((degrees) => degrees.toFixed(6)).join(",");
  useEffect(() => {
    if (!may("asset.read")) return;
    let left = false;
    setLines(NOTHING);
    service
      .GET("/segments", { params: { query: { bbox, limit: 100 } } })
      .then((answer) => !left && setLines(dataOf(answer) as unknown as FeatureCollection))
      .catch((error) => !left && report(error));
    return () => {
      left = true;
    };
  }, [bbox]);
  return <Drawing id="review-border" data={lines} layers={borderLayers} />;
}

function borderLayers(): DrawnLayer[] {
  const side = ["case", ["==", ["get", "own_side"], "left"], -4, 4] as unknown as number;
  return [
    {
      id: "review-border-own",
      type: "line",
      paint: { "line-color": colour("own"), "line-width": 5, "line-offset": side, "line-dasharray": [0.25, 1] },
    },
    { id: "review-border-line", type: "line", paint: { "line-color": colour("ink"), "line-width": 2 } },
  ];
}

/** What stands still: the whole way, thin, the place of the crossing and its ellipse. */
function Whole({ crossing }: { crossing: Crossing }) {
  const data = useMemo(() => {
    const { place, ellipse, track } = crossing;
    const ring = place === null || ellipse === null ? null : outline(place.lat, place.lon, ellipse);
    return collected(
      lineOf(track.map((point) => [point.lon, point.lat])),
      ring && { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } },
      place && {
        type: "Feature",
        properties: { kind: "place" },
        geometry: { type: "Point", coordinates: [place.lon, place.lat] },
      },
    );
  }, [crossing]);
  return <Drawing id="review-whole" data={data} layers={wholeLayers} />;
}

function wholeLayers(): DrawnLayer[] {
  const crossing = colour("crossing");
  return [
    {
      id: "review-whole-area",
      type: "fill",
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": crossing, "fill-opacity": 0.18 },
    },
    {
      id: "review-whole-line",
      type: "line",
      paint: { "line-color": crossing, "line-width": 1.2, "line-dasharray": [3, 2] },
    },
    {
      id: "review-whole-place",
      type: "circle",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 4,
        "circle-color": colour("paper"),
        "circle-stroke-color": crossing,
        "circle-stroke-width": 2,
      },
    },
  ];
}

/** What goes with the clip. */
function Now({ crossing }: { crossing: Crossing }) {
  const at = moment.value;
  const data = useMemo(() => {
    if (at === null) return NOTHING;
    const here = whereAt(crossing.track, at);
    return collected(
      lineOf(wayUntil(crossing.track, at)),
      here && { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [here.lon, here.lat] } },
    );
  }, [crossing, at]);
  return <Drawing id="review-now" data={data} layers={nowLayers} />;
}

function nowLayers(): DrawnLayer[] {
  const crossing = colour("crossing");
  return [
    { id: "review-now-way", type: "line", paint: { "line-color": crossing, "line-width": 4 } },
    {
      id: "review-now-here",
      type: "circle",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 7,
        "circle-color": crossing,
        "circle-stroke-color": colour("paper"),
        "circle-stroke-width": 2,
      },
    },
  ];
}

/** The same in words, for whoever sees no map. */
function Where({ crossing }: { crossing: Crossing }) {
  const at = moment.value;
  const here = at === null ? null : whereAt(crossing.track, at);
  return (
    <p class="where" title={t("review.where")}>
      {here === null ? (
        <span class="soft">{t("review.where_unknown")}</span>
      ) : (
        <>
          <Time at={new Date(here.at).toISOString()} date={false} /> <Place lat={here.lat} lon={here.lon} />{" "}
          <span class="soft">{t("review.give_or_take", { metres: Math.round(here.sigma * 10) / 10 })}</span>
        </>
      )}
    </p>
  );
}

/** All of the way, with some ground around it. */
function boxOf({ place, track, ellipse }: Crossing): Box | null {
  const places = [...(place === null ? [] : [place]), ...track];
  const [first] = places;
  if (first === undefined) return null;
  const lats = places.map((each) => each.lat);
  const lons = places.map((each) => each.lon);
  const around = boxAround(first.lat, first.lon, Math.max(15, 2 * (ellipse?.major ?? 0)));
  const [east, north] = [(around[2] - around[0]) / 2, (around[3] - around[1]) / 2];
  return [Math.min(...lons) - east, Math.min(...lats) - north, Math.max(...lons) + east, Math.max(...lats) + north];
}
