import { to } from "../../app/router";
import { t } from "../../i18n";
import { connectionText } from "../../ui/connection";
import { Time } from "../../ui/Time";
import { chosen, leave, outbox, type Returned, returned } from "./desk";
import { connection, heard } from "./follow";
import { named } from "./words";

/** Verdicts that have not arrived, those that came back, and whether what is shown may be old. */
export function Unsent() {
  const waiting = outbox.value?.waiting.value.filter((each) => each.away) ?? [];
  const old = connection.value === "lost" || connection.value === "silent";
  const elsewhere = returned.value.filter((each) => each.id !== chosen.value);
  return (
    <div class="unsent" role="status">
      {old && <p class="warn">{connectionText(connection.value, heard.value)}</p>}
      {waiting.length > 0 && (
        <p class="warn">
          {t("review.unsent", { count: waiting.length })}{" "}
          <button type="button" onClick={() => void outbox.peek()?.flush()}>
            {t("app.again")}
          </button>
        </p>
      )}
      {elsewhere.map((each) => (
        <CameBack key={each.id} back={each} />
      ))}
    </div>
  );
}

/** A verdict on another crossing than the one that is open; that one stays open. */
function CameBack({ back: { id, mine, by, refusal } }: { back: Returned }) {
  return (
    <p class="warn">
      <Time at={new Date(mine.given).toISOString()} /> {t("review.came_back", { verdict: named(mine.verdict) })}{" "}
      {by === null
        ? (refusal ?? t("review.overtaken_revision"))
        : t("review.overtaken_by", { name: by.reviewer, verdict: named(by.verdict) })}{" "}
      <a href={to("review", [id])}>{t("review.undo_look")}</a>{" "}
      <button type="button" onClick={() => leave(id)}>
        {t("review.leave_it")}
      </button>
    </p>
  );
}
