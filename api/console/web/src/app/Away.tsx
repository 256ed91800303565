import { t } from "../i18n";
import { away, touch } from "../ui/attention";
import { me } from "./session";

/** Says that the page has stopped asking because nobody is there. */
export function Away() {
  if (!away.value || me.value == null) return null;
  return (
    <div class="away" role="status">
      <p>{t("app.away")}</p>
      <button type="button" onClick={touch}>
        {t("app.go_on")}
      </button>
    </div>
  );
}
