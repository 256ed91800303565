import { t } from "../i18n";
import { dismiss, notices } from "./failure";

/** What happened, read out by a screen reader as it comes. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.tone}`} role={notice.tone === "bad" ? "alert" : undefined}>
          <div>
            <p>{notice.text}</p>
            {notice.reasons.length > 0 && (
              <ul>
                {notice.reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            )}
          </div>
          <button type="button" class="plain" aria-label={t("app.close")} onClick={() => dismiss(notice.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
