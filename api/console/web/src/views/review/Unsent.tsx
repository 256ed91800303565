import { t } from "../../i18n";
import { outbox } from "./desk";
import { connection } from "./follow";

/** Verdicts that have not arrived, and whether what is shown may be old. */
export function Unsent() {
  const waiting = outbox.value?.waiting.value.filter((each) => each.away) ?? [];
  const lost = connection.value === "lost";
  return (
    <div class="unsent" role="status">
      {lost && <p class="warn">{t("app.connection_lost")}</p>}
      {waiting.length > 0 && (
        <p class="warn">
          {t("review.unsent", { count: waiting.length })}{" "}
          <button type="button" onClick={() => void outbox.peek()?.flush()}>
            {t("app.again")}
          </button>
        </p>
      )}
    </div>
  );
}
