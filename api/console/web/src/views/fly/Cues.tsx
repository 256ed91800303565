import { useEffect, useRef } from "preact/hooks";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { distance } from "../../map/ground";
import { Place } from "../../ui/Place";
import type { Cue, Vehicle } from "./records";
import type { Watch } from "./watch";
import { ageText, distanceText } from "./words";

const SHOWN = 12;
const NEAREST = 4;

interface AimProps {
  watch: Watch;
  vehicle: Vehicle;
  onTarget: (cue: Cue) => void;
  onClose: () => void;
}

/** Where a vehicle is sent: a cue of the list or the map, or any place on the map. */
export function Aim({ watch, vehicle, onTarget, onClose }: AimProps) {
  const cues = [...watch.cues.all.value.values()].sort((a, b) => b.time.localeCompare(a.time)).slice(0, SHOWN);
  const panel = useRef<HTMLElement>(null);
  // The button that was pressed for it is gone.
  useEffect(() => panel.current?.focus(), []);
  return (
    <section class="aim" aria-label={t("fly.aim", { name: vehicle.name })} ref={panel} tabIndex={-1}>
      <header>
        <h2>{t("fly.aim", { name: vehicle.name })}</h2>
        <button type="button" onClick={onClose}>
          {t("app.cancel")}
        </button>
      </header>
      <p>{t("fly.aim_how")}</p>
      <ul>
        {cues.map((each) => (
          <li key={each.id}>
            <button type="button" onClick={() => onTarget(each)}>
              <strong>{each.kind}</strong> {each.sensor}
              <small>
                {" "}
                {t("fly.ago", { age: ageText(each.time, watch.now.value) })}
                {vehicle.at !== null && `, ${distanceText(distance(vehicle.at, each.at))}`}
              </small>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CueProps {
  watch: Watch;
  cue: Cue;
  onSend: (vehicle: Vehicle) => void;
  onClose: () => void;
}

/** A cue that is looked at, and the vehicles that are nearest to it. */
export function CueDetails({ watch, cue, onSend, onClose }: CueProps) {
  const near = [...watch.vehicles.all.value.values()]
    .flatMap((each) =>
      each.live?.stale === false && each.at !== null ? [{ each, far: distance(each.at, cue.at) }] : [],
    )
    .sort((a, b) => a.far - b.far)
    .slice(0, NEAREST);
  return (
    <section class="details" aria-label={t("fly.cue", { kind: cue.kind })}>
      <header>
        <h2>{t("fly.cue", { kind: cue.kind })}</h2>
        <span>{t("fly.ago", { age: ageText(cue.time, watch.now.value) })}</span>
        <button type="button" class="plain" aria-label={t("app.close")} onClick={onClose}>
          ×
        </button>
      </header>
      <p>
        {cue.sensor}: <Place lon={cue.at[0] ?? 0} lat={cue.at[1] ?? 0} /> ± {distanceText(cue.uncertainty)}
      </p>
      {may("order.write") && (
        <ul class="near">
          {near.map(({ each, far }) => (
            <li key={each.id}>
              <button type="button" onClick={() => onSend(each)}>
                {t("fly.send", { name: each.name })} <small>{distanceText(far)}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
