import { t } from "../../i18n";
import { attempt } from "../../ui/failure";
import { away, cancel, isOpen, planning, putAway } from "./planning";
import { percent } from "./units";

/** How far the planning is, or why there is no plan; who does not see that hears of each stage, and of the end. */
export function Progress() {
  const one = planning.value;
  return (
    <>
      <p class="unseen" role="status">
        {one === null ? "" : one.state === "running" ? one.stage : one.state === "done" ? t("plan.there") : words(one)}
      </p>
      <Shown one={one} />
    </>
  );
}

function Shown({ one }: { one: typeof planning.value }) {
  if (one === null || one.state === "done") return away.value ? <p role="alert">{t("plan.away")}</p> : null;
  const open = isOpen(one);
  return (
    <div class={one.state === "failed" ? "progress failed" : "progress"}>
      {open && (
        <progress max={1} value={one.state === "queued" ? 0 : one.progress} aria-label={t("plan.progress")}>
          {percent(one.progress)}
        </progress>
      )}
      <p>{words(one)}</p>
      {away.value && <p role="alert">{t("plan.away")}</p>}
      {open ? (
        <button type="button" onClick={() => attempt(cancel, "plan")}>
          {t("app.cancel")}
        </button>
      ) : (
        <button type="button" onClick={putAway}>
          {t("app.close")}
        </button>
      )}
    </div>
  );
}

function words({ state, stage, progress, error }: NonNullable<typeof planning.value>): string {
  switch (state) {
    case "queued":
      return t("plan.queued");
    case "failed":
      return error ?? t("plan.failed");
    case "cancelled":
      return t("plan.cancelled");
    default:
      return `${percent(progress)} ${stage}`;
  }
}
