import { useMemo } from "preact/hooks";
import { theme } from "../../app/preferences";
import { may, me } from "../../app/session";
import { t } from "../../i18n";
import { OtherCameras } from "./LivePicture";
import type { Orders } from "./orders";
import type { Vehicle } from "./records";
import { symbolUrl } from "./symbols";
import type { Watch } from "./watch";
import { isLow, linkWord, nextOf, percentText, toneOf } from "./words";

interface Props {
  watch: Watch;
  orders: Orders;
  chosen: string | null;
  onChoose: (id: string) => void;
}

/** Compares names with numbers in them. Made once: to compare without it costs a hundred times as much. */
const NAMES = new Intl.Collator(undefined, { numeric: true });

/** Vehicles in the order of the list: those in trouble first, then those that fly, by name. */
export function rosterOf(watch: Watch): readonly Vehicle[] {
  const rank = { bad: 0, warn: 1, good: 2, off: 3 };
  return [...watch.vehicles.all.value.values()].sort(
    (a, b) => rank[toneOf(a)] - rank[toneOf(b)] || NAMES.compare(a.name, b.name),
  );
}

/** All vehicles, a row each: how it fares, at a glance. */
export function Roster({ watch, orders, chosen, onChoose }: Props) {
  const all = rosterOf(watch);
  const none = me.value?.partner_id == null ? "fly.no_vehicles" : "fly.none_shared";
  return (
    <section class="roster" aria-label={t("fly.vehicles")}>
      <h2>
        {t("fly.vehicles")} <small>{t("fly.flying", { count: all.filter((each) => each.live !== null).length })}</small>
      </h2>
      {may("picture.read") && <OtherCameras watch={watch} />}
      {all.length === 0 && <p class="soft">{watch.ready.value ? t(none) : t("app.loading")}</p>}
      {watch.lastPlace.value !== null && watch.crossings.all.value.size === 0 && (
        <p class="soft">{t("fly.none_lately")}</p>
      )}
      <ul>
        {all.map((each) => (
          <li key={each.id}>
            <Row
              vehicle={each}
              chosen={each.id === chosen}
              next={nextWord(watch, orders, each)}
              onChoose={() => onChoose(each.id)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function nextWord(watch: Watch, orders: Orders, vehicle: Vehicle): string {
  const next = nextOf(orders.lastOf(vehicle.id), sortieOfVehicle(watch, vehicle));
  return next === null || next.at !== null ? "" : t(next.word);
}

/** The sortie that a vehicle says it flies. */
export function sortieOfVehicle(watch: Watch, vehicle: Vehicle) {
  if (vehicle.sortie === null) return null;
  for (const each of watch.sorties.all.value.values()) {
    if (each.sourceId === vehicle.sortie || each.id === vehicle.sortie) return each;
  }
  return null;
}

interface RowProps {
  vehicle: Vehicle;
  chosen: boolean;
  /** What it does next; empty where that is not known. */
  next: string;
  onChoose: () => void;
}

function Row({ vehicle, chosen, next, onChoose }: RowProps) {
  const old = vehicle.live === null || vehicle.live.stale;
  const link = t(linkWord(vehicle));
  const symbol = symbolUrl(vehicle.frame, old, theme.value);
  const { name, state, battery } = vehicle;
  const doing = [state ?? t("fly.state_unknown"), next].filter((each) => each !== "").join(" → ");
  const full = battery === null ? "" : `${percentText(battery)} ${t("fly.battery")}`;
  // Rows that are not in sight are not laid out, and have no name of their contents then. It has what is to be read,
  // in one piece: who says what he sees finds the row.
  const tells = [name, doing, link, full].filter((each) => each !== "").join(", ");
  // Most of what changes each second is not in the list: hundreds of rows are not made anew for it.
  return useMemo(
    () => (
      <button
        type="button"
        class={`vehicle ${toneOf(vehicle)}`}
        aria-pressed={chosen}
        aria-label={tells}
        onClick={onChoose}
      >
        <img src={symbol} alt="" />
        <span class="name">{name}</span> <span class="state">{doing}</span>{" "}
        <span class={`link ${vehicle.live === null || vehicle.live.stale ? "" : (vehicle.link ?? "")}`}>{link}</span>{" "}
        <Battery vehicle={vehicle} />
      </button>
    ),
    [symbol, name, state, link, next, chosen, battery],
  );
}

/** How full its battery is, as a figure and a bar. */
export function Battery({ vehicle }: { vehicle: Vehicle }) {
  if (vehicle.battery === null) return <span class="battery soft">–</span>;
  return (
    <span class={isLow(vehicle) ? "battery low" : "battery"}>
      <meter min={0} max={1} low={0.25} value={vehicle.battery} aria-hidden="true" />
      <span class="unseen">{t("fly.battery")} </span>
      {isLow(vehicle) && <span aria-hidden="true">⚠</span>}
      {percentText(vehicle.battery)}
    </span>
  );
}
