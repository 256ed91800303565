import { t } from "../../i18n";
import { sortie } from "./chosen";
import type { Result } from "./planning";
import { energy, metres, percent, shiftClock, span } from "./units";

/** The sorties; one that is chosen stands out on the map, and its heights are shown. */
export function Sorties({ result }: { result: Result }) {
  return (
    <table class="sorties">
      <caption class="unseen">{t("plan.tab_sorties")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("plan.sortie")}</th>
          <th scope="col">{t("plan.vehicle")}</th>
          <th scope="col">{t("plan.base")}</th>
          <th scope="col">{t("plan.first_start")}</th>
          <th scope="col">{t("plan.lasts")}</th>
          <th scope="col">{t("plan.way")}</th>
          <th scope="col">{t("plan.watched")}</th>
          <th scope="col">{t("plan.energy")}</th>
          <th scope="col">{t("plan.battery_left")}</th>
          <th scope="col">{t("plan.flights")}</th>
        </tr>
      </thead>
      <tbody>
        {result.map.sorties.map(({ properties: one }) => (
          <tr key={one.name} class={sortie.value === one.name ? "chosen" : undefined}>
            <th scope="row">
              <button
                type="button"
                class="plain"
                aria-pressed={sortie.value === one.name}
                onClick={() => {
                  sortie.value = sortie.value === one.name ? null : one.name;
                }}
              >
                {one.name}
              </button>
            </th>
            <td>{one.vehicle}</td>
            <td>{one.base}</td>
            <td>+{shiftClock(one.start_s)}</td>
            <td>{span(one.duration_s)}</td>
            <td>{metres(one.distance_m)}</td>
            <td>{metres(one.patrol_m)}</td>
            <td>{energy(one.energy_wh)}</td>
            <td>{percent(one.reserve_left)}</td>
            <td>{one.flights}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
