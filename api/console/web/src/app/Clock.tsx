import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { timeText, zoneText } from "../ui/Time";
import { clock } from "./preferences";
import { skewS, TOLERATED_S } from "./skew";

/** The time, as the reader likes it; a warning where this computer and the service do not agree on it. */
export function Clock() {
  const now = useSignal(new Date().toISOString());
  useEffect(() => {
    const ticking = setInterval(() => {
      now.value = new Date().toISOString();
    }, 1000);
    return () => clearInterval(ticking);
  }, [now]);
  const skew = skewS.value ?? 0;
  const off = Math.abs(skew) > TOLERATED_S;
  return (
    <span class={off ? "clock off" : "clock"}>
      <button
        type="button"
        class="plain"
        title={t("app.switch_clock")}
        onClick={() => {
          clock.value = clock.value === "utc" ? "local" : "utc";
        }}
      >
        <time dateTime={now.value}>{timeText(now.value, false)}</time>
        <small> {clock.value === "utc" ? "UTC" : zoneText()}</small>
        <span class="unseen">. {t("app.switch_clock")}</span>
      </button>
      {off && <strong role="alert">{t("app.clock_off", { seconds: Math.round(Math.abs(skew)) })}</strong>}
    </span>
  );
}
