import { t } from "../i18n";
import { away, idleMs, touch } from "../ui/attention";
import { me } from "./session";

const MINUTE_MS = 60_000;

/** Says that the page has stopped asking because nobody is there. */
export function Away() {
  if (!away.value || me.value == null) return null;
  return (
    <div class="away" role="status">
      <p>{t("app.away", { minutes: Math.max(1, Math.round(idleMs.value / MINUTE_MS)) })}</p>
      <button type="button" onClick={touch}>
        {t("app.go_on")}
      </button>
    </div>
  );
}
