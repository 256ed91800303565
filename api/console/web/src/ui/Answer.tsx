import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import type { Asked, Pages } from "./asked";

interface Props<T> {
  asked: Asked<T>;
  children: (value: T) => ComponentChildren;
}

/** What was answered; that it is waited for, or did not come, and a way to ask again. What was there before stays. */
export function Answer<T>({ asked, children }: Props<T>) {
  return (
    <>
      {asked.failure !== null && (
        <p role="alert" class="refused">
          {asked.failure}{" "}
          <button type="button" onClick={asked.again}>
            {t("app.again")}
          </button>
        </p>
      )}
      {asked.value === undefined ? asked.busy && <p role="status">{t("app.loading")}</p> : children(asked.value)}
    </>
  );
}

/** The button under a list that goes on. */
export function More<T>({ pages }: { pages: Pages<T> }) {
  return pages.more === null ? null : (
    <button type="button" onClick={pages.more} disabled={pages.busy}>
      {t("app.more")}
    </button>
  );
}
