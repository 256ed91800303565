import { t } from "../../i18n";
import type { Result } from "./planning";

/** Every rule that the plan was held against, by code that shares nothing with the planner. */
export function Rules({ result }: { result: Result }) {
  const { kept, rules } = result.validation;
  return (
    <>
      <p class={kept ? "kept" : "fault"}>{kept ? t("plan.rules_kept") : t("plan.rules_broken")}</p>
      <table>
        <caption class="unseen">{t("plan.tab_rules")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("plan.rule")}</th>
            <th scope="col">{t("plan.checked")}</th>
            <th scope="col">{t("plan.nearest")}</th>
            <th scope="col">{t("plan.limit")}</th>
            <th scope="col">{t("plan.outcome")}</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.name} class={rule.broken.length > 0 ? "broken" : undefined}>
              <th scope="row">{rule.name}</th>
              <td>{rule.checked}</td>
              <td>{figure(rule.worst, rule.unit)}</td>
              <td>{figure(rule.limit, rule.unit)}</td>
              <td>{rule.broken.length === 0 ? t("plan.held") : rule.broken.join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function figure(value: number | null, unit: string): string {
  return value === null ? "–" : `${Number(value.toPrecision(4))} ${unit}`;
}
