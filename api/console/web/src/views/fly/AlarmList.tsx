import type { Signal } from "@preact/signals";
import { t } from "../../i18n";
import { Time } from "../../ui/Time";
import { type Alarm, type Alarms, alarmWord } from "./alarms";
import { beep } from "./sound";

const SHOWN = 100;

interface Props {
  alarms: Alarms;
  sounds: Signal<boolean>;
  onShow: (alarm: Alarm) => void;
}

/** Alarms: those that nobody has seen come first and stay. */
export function AlarmList({ alarms, sounds, onShow }: Props) {
  const all = alarms.list.value;
  const unseen = all.filter((each) => !each.seen).length;
  const newest = alarms.newest.value;
  return (
    <section class="alarms" aria-label={t("fly.alarms")}>
      <header>
        <h2>
          {t("fly.alarms")}{" "}
          <span class={unseen > 0 ? "count waits" : "count"}>{t("fly.unseen", { count: unseen })}</span>
        </h2>
        <label class="inline">
          <input
            type="checkbox"
            checked={sounds.value}
            onChange={(event) => {
              sounds.value = event.currentTarget.checked;
              if (event.currentTarget.checked) beep();
            }}
          />
          {t("fly.sound")}
        </label>
        {unseen > 1 && (
          <button type="button" onClick={() => alarms.seeAll()}>
            {t("fly.see_all")}
          </button>
        )}
      </header>
      <p class="unseen" role="alert">
        {newest === null ? "" : t(alarmWord(newest), newest.values)}
      </p>
      {all.length === 0 ? (
        <p class="soft">{t("fly.no_alarms")}</p>
      ) : (
        <ul>
          {all.slice(0, SHOWN).map((each) => (
            <li key={each.key} class={each.seen ? "seen" : each.sort}>
              <button type="button" class="plain what" onClick={() => onShow(each)}>
                <span aria-hidden="true">{GRAVE.has(each.sort) ? "▲" : "●"}</span> {t(alarmWord(each), each.values)}
                {!each.holds && GRAVE.has(each.sort) && <small> {t("fly.over")}</small>}
              </button>
              <Time at={each.raised} date={false} />
              {!each.seen && (
                <button
                  type="button"
                  aria-label={t("fly.see_that", { what: t(alarmWord(each), each.values) })}
                  onClick={() => alarms.see(each.key)}
                >
                  {t("fly.see")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {all.length > SHOWN && <p class="soft">{t("fly.more_alarms", { count: all.length - SHOWN })}</p>}
    </section>
  );
}

const GRAVE: ReadonlySet<string> = new Set(["across", "stand_off", "link_lost", "battery_low", "stale"]);
