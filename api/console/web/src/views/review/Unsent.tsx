import { to } from "../../app/router";
import { t } from "../../i18n";
import { connectionText } from "../../ui/connection";
import { Time } from "../../ui/Time";
import { chosen, leave, outbox, type Returned, returned, throwAway } from "./desk";
import { connection, heard } from "./follow";
import type { Waiting } from "./outbox";
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
      <Left />
      {elsewhere.map((each) => (
        <CameBack key={each.id} back={each} />
      ))}
    </div>
  );
}

/** What an earlier page, or another one, has left in the browser in the reader's name: it waits for their word. */
function Left() {
  const found = outbox.value?.found.value ?? [];
  if (found.length === 0) return null;
  const send = (each: Waiting) => outbox.peek()?.adopt(each);
  return (
    <div class="warn left">
      <p>
        {t("review.left", { count: found.length })}{" "}
        {found.length > 1 && (
          <button type="button" onClick={() => found.forEach(send)}>
            {t("review.left_send_all")}
          </button>
        )}
      </p>
      <ul>
        {found.map((each) => (
          <li key={each.record_id}>
            <Time at={new Date(each.given).toISOString()} />: <strong>{named(each.verdict)}</strong>
            {each.category !== null && `, ${named(each.category)}`}
            {each.reason !== null && `, “${each.reason}”`}{" "}
            <a href={to("review", [each.record_id])}>{t("review.left_look")}</a>{" "}
            <button type="button" onClick={() => send(each)}>
              {t("review.left_send")}
            </button>{" "}
            <button type="button" onClick={() => void throwAway(each)}>
              {t("review.left_throw")}
            </button>
          </li>
        ))}
      </ul>
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
