/** How high a vehicle is over the ground, where the service knows the ground. */

import type { Position } from "geojson";
import { useEffect, useRef, useState } from "preact/hooks";
import { dataOf, service } from "../../api/client";
import { me } from "../../app/session";
import { distance } from "../../map/ground";
import { isAttended } from "../../ui/attention";

/** After so many metres of way the ground is asked for again; where there is none, after so many. */
const STEP_M = 25;
const NONE_STEP_M = 2000;
/** Ground that was asked for further away than this says nothing of here. */
const FAR_M = 100;
const ANSWER_MS = 5000;

interface Ground {
  at: Position;
  /** Metres above mean sea level; null where the service does not know. */
  amsl: number | null;
}

/** Whether the ground has to be asked for, by what was told last. */
export function isDue(told: Ground | null, at: Position): boolean {
  return told === null || distance(told.at, at) > (told.amsl === null ? NONE_STEP_M : STEP_M);
}

/** Metres over the ground that was told; null where that was elsewhere or is not known. */
export function aboveGround(told: Ground | null, at: Position | null, amsl: number | null): number | null {
  if (told === null || told.amsl === null || at === null || amsl === null) return null;
  return distance(told.at, at) > FAR_M ? null : amsl - told.amsl;
}

/** Metres above the ground of what is at `at`, `amsl` metres above mean sea level; null where that is not known. */
export function useAboveGround(at: Position | null, amsl: number | null): number | null {
  const [told, setTold] = useState<Ground | null>(null);
  const asking = useRef(false);
  const [lon, lat] = at ?? [];
  useEffect(() => {
    // A partner is told no terrain of ours.
    if (lon === undefined || lat === undefined || amsl === null || me.peek()?.partner_id != null) return;
    if (asking.current || !isAttended() || !isDue(told, [lon, lat])) return;
    asking.current = true;
    const query = { lat, lon };
    service
      .GET("/ground", { params: { query }, signal: AbortSignal.timeout(ANSWER_MS) })
      .then(
        (answer) => setTold({ at: [lon, lat], amsl: dataOf(answer).ground_amsl_m }),
        () => undefined, // asked again as it moves
      )
      .finally(() => {
        asking.current = false;
      });
  }, [lon, lat, amsl === null, told]);
  return aboveGround(told, at, amsl);
}
