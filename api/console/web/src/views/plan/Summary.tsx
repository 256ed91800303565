import { t } from "../../i18n";
import { before, type Planning, type Result } from "./planning";
import { energy, height, percent, span } from "./units";

interface Row {
  label: string;
  /** The figure, and how it is written. */
  of: (result: Result) => number;
  text: (figure: number) => string;
}

const energyOf = (result: Result): number =>
  result.map.sorties.reduce((sum, one) => sum + one.properties.energy_wh * one.properties.flights, 0);

/** The figures of the plan, beside those of the plan before; what limits it; what the reader must know. */
export function Summary({ planning, result }: { planning: Planning; result: Result }) {
  const { summary, explanation } = result;
  const old = before.value !== null && before.value.id !== planning.id ? before.value.result : null;
  const rows: Row[] = [
    { label: t("plan.revisit"), of: (one) => one.summary.revisit_s, text: span },
    { label: t("plan.bound"), of: (one) => one.summary.bound_s, text: span },
    { label: t("plan.gap"), of: (one) => one.summary.gap, text: percent },
    { label: t("plan.coverage"), of: (one) => one.summary.coverage, text: percent },
    { label: t("plan.sorties"), of: (one) => one.summary.sorties, text: String },
    { label: t("plan.flights"), of: (one) => one.summary.flights, text: String },
    { label: t("plan.aircraft"), of: (one) => one.summary.aircraft, text: String },
    { label: t("plan.energy_shift"), of: energyOf, text: energy },
    { label: t("plan.patrol_height"), of: (one) => one.summary.height_agl_m, text: height },
    { label: t("plan.lateral"), of: (one) => one.summary.lateral_m, text: height },
  ];
  return (
    <div class="summary">
      <table>
        <caption class="unseen">{t("plan.figures")}</caption>
        {old !== null && (
          <thead>
            <tr>
              <td />
              <th scope="col">{t("plan.before")}</th>
              <th scope="col">{t("plan.now")}</th>
              <th scope="col">{t("plan.difference")}</th>
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row) => (
            <Figure key={row.label} row={row} now={row.of(result)} then={old === null ? null : row.of(old)} />
          ))}
        </tbody>
      </table>
      <div>
        {explanation !== null && (
          <>
            <h3>{t("plan.limited_by")}</h3>
            <ul>
              {explanation.limits.map((limit) => (
                <li key={limit}>{limit}</li>
              ))}
            </ul>
            {explanation.changes.length > 0 && <Changes changes={explanation.changes} now={summary.figure_s} />}
          </>
        )}
        {summary.notes.length > 0 && (
          <>
            <h3>{t("plan.notes")}</h3>
            <ul>
              {summary.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  );
}

function Figure({ row, now, then }: { row: Row; now: number; then: number | null }) {
  return (
    <tr>
      <th scope="row">{row.label}</th>
      {then !== null && <td>{row.text(then)}</td>}
      <td>{row.text(now)}</td>
      {then !== null && <td>{differenceText(now - then, row.text)}</td>}
    </tr>
  );
}

/** What is written as nothing is no difference. */
function differenceText(difference: number, text: (figure: number) => string): string {
  const written = text(Math.abs(difference));
  return written === text(0) ? "=" : `${difference > 0 ? "▲ +" : "▼ −"}${written}`;
}

function Changes({ changes, now }: { changes: NonNullable<Result["explanation"]>["changes"]; now: number }) {
  return (
    <table>
      <caption>{t("plan.changes")}</caption>
      <tbody>
        {changes.map((each) => (
          <tr key={each.what}>
            <th scope="row">{each.what}</th>
            <td>{each.figure_s === null ? each.reason : span(each.figure_s)}</td>
            <td>{each.figure_s === null ? "" : percent(each.figure_s / now - 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
