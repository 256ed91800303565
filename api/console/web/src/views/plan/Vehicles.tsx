import { t } from "../../i18n";
import { Scroll } from "../../ui/Scroll";
import type { Standing } from "./readiness";
import { metres, percent } from "./units";

/** A vehicle that is farther from its base than this is looked at twice, metres. */
const NEAR_M = 100;

/** The vehicles of the plan as the station tells of them: ready, or why not. */
export function Vehicles({ standings }: { standings: readonly Standing[] }) {
  const ready = standings.filter((each) => each.ready).length;
  return (
    <Scroll class="scroll vehicles">
      <table>
        <caption>{t("plan.vehicles_ready", { ready, count: standings.length })}</caption>
        <thead>
          <tr>
            <th scope="col">{t("plan.vehicle")}</th>
            <th scope="col">{t("plan.battery")}</th>
            <th scope="col">{t("plan.from_base")}</th>
            <th scope="col">{t("plan.readiness")}</th>
          </tr>
        </thead>
        <tbody>
          {standings.map((each) => (
            <Vehicle key={each.wanted.sysid} standing={each} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Vehicle({ standing: { wanted, heard, ready, fault, fromBaseM } }: { standing: Standing }) {
  const battery = heard?.battery_left ?? null;
  const far = fromBaseM !== null && fromBaseM > NEAR_M;
  return (
    <tr>
      <th scope="row">
        {wanted.name}
        {heard?.name != null && heard.name !== wanted.name && <small> {heard.name}</small>}
      </th>
      <td>{battery === null ? "–" : percent(battery)}</td>
      <td class={far ? "far" : undefined}>
        {fromBaseM === null
          ? "–"
          : `${far ? "⚠ " : ""}${t("plan.away_from", { distance: metres(fromBaseM), base: wanted.base })}`}
      </td>
      <td class={ready ? "ready" : "unready"}>
        {fault === null ? `✓ ${t("plan.ready")}` : `✗ ${t(fault.word, fault.values)}`}
      </td>
    </tr>
  );
}
