import { signal } from "@preact/signals";
import type { Position } from "geojson";
import { useEffect } from "preact/hooks";
import { dataOf, service } from "../../api/client";
import { boxOf } from "../../map/box";
import { useMap } from "../../map/MapView";
import { segmentOf } from "../fly/records";
import type { Draft } from "./draft";
import { draft } from "./history";
import { planning } from "./planning";
import { AROUND } from "./ResultLayers";

/** What a pointer has not put on the map: it may be anywhere else. A new list for each wish. */
const wanted = signal<readonly Position[]>([]);

/** Bring places to the map that were read from a file, or written. */
export function see(places: readonly Position[]): void {
  wanted.value = places;
}

/** All places of a draft. */
export function placesOf({ lines, bases, zones }: Pick<Draft, "lines" | "bases" | "zones">): Position[] {
  return [
    ...lines.flatMap((line) => line.points),
    ...bases.map((base) => base.at),
    ...zones.flatMap((zone) => zone.ring),
  ];
}

/** Goes where things are that came by no pointer; at first, with nothing drawn, to the border that the service has. */
export function See() {
  const shown = useMap();
  const box = boxOf(wanted.value);
  useEffect(() => {
    if (shown !== null && box !== null) shown.map.fitBounds(box, { padding: AROUND, maxZoom: 14, animate: false });
  }, [shown?.map, wanted.value]);
  useEffect(() => {
    const isEmpty = () => placesOf(draft.peek()).length === 0 && planning.peek() === null;
    if (isEmpty())
      service
        .GET("/segments", { params: { query: { limit: 100 } } })
        .then((answer) => {
          if (isEmpty()) see(dataOf(answer).features.flatMap((each) => segmentOf(each)?.line ?? []));
        })
        .catch(() => undefined); // the map begins where it always did
    return () => see([]);
  }, []);
  return null;
}
