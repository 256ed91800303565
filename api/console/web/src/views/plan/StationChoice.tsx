import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { t } from "../../i18n";
import { Time } from "../../ui/Time";
import type { Station } from "./launches";
import { standingsOf, type Wanted } from "./readiness";

interface Props {
  stations: readonly Station[];
  wanted: readonly Wanted[];
  chosen: Station | null;
  onChoose: (source: string) => void;
}

/** Which ground station flies the plan: what each does now, and how many of the plan's vehicles it has ready. */
export function StationChoice({ stations, wanted, chosen, onChoose }: Props) {
  const name = useId();
  if (stations.length === 0) return <p>{t("plan.no_station")}</p>;
  const heardFirst = [...stations].sort((a, b) => Number(b.live) - Number(a.live) || a.source.localeCompare(b.source));
  return (
    <fieldset class="stations">
      <legend>{t("plan.station")}</legend>
      {heardFirst.map((station) => (
        <label key={station.source} class="inline">
          <input
            type="radio"
            name={name}
            checked={station.source === chosen?.source}
            onChange={() => onChoose(station.source)}
          />
          <span>
            <strong>{station.source}</strong> {does(station, wanted)}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function does(station: Station, wanted: readonly Wanted[]): ComponentChildren {
  if (!station.live)
    return (
      <>
        {t("plan.silent_since")} <Time at={station.told_at} />
      </>
    );
  if (station.busy !== null) return t("plan.flies", { what: station.busy });
  const ready = standingsOf(wanted, station).filter((each) => each.ready).length;
  return t("plan.stands_by", { ready, count: wanted.length });
}
