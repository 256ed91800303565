import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { dataOf, type Schemas, service } from "../../api/client";
import { t } from "../../i18n";
import { attempt } from "../../ui/failure";
import { Time } from "../../ui/Time";
import { open, planning } from "./planning";

/** Plannings that were asked for before, newest first, to be looked at again. */
export function Earlier() {
  const lines = useSignal<readonly Schemas["PlanningLine"][]>([]);
  useEffect(() => {
    attempt(async () => {
      lines.value = dataOf(await service.GET("/plannings", { params: { query: { limit: 20 } } }));
    }, "plan");
  }, [planning.value?.state]);
  if (lines.value.length === 0) return null;
  return (
    <section class="earlier" aria-label={t("plan.earlier")}>
      <h2>{t("plan.earlier")}</h2>
      <ul>
        {lines.value.map((line) => (
          <li key={line.id}>
            <button type="button" class="plain" onClick={() => open(line.id)}>
              {line.name}
            </button>{" "}
            <Time at={line.asked} /> <span>{t(`plan.state_${line.state}`)}</span>
            {line.adopted && <span> · {t("plan.adopted_word")}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
