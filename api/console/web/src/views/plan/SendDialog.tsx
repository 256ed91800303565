import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { Answer } from "../../ui/Answer";
import { useAgain, useAsked } from "../../ui/asked";
import { Dialog } from "../../ui/Dialog";
import { Refusal } from "../../ui/Form";
import { InputField, TicksField } from "../../ui/fields";
import {
  type Failure,
  failureOf,
  give,
  hasArrived,
  isSame,
  isUnanswered,
  launches,
  readChecklist,
  readNewest,
  type Station,
  type Wish,
} from "./launches";
import type { Planning, Result } from "./planning";
import { hindrancesOf, hoursOf, type Said, standingsOf, wantedOf } from "./readiness";
import { StationChoice } from "./StationChoice";
import { useStations } from "./stations";
import { span } from "./units";
import { Vehicles } from "./Vehicles";

/** How often it is asked what came of a launch of which no answer came. */
const LOOK_MS = 2000;

interface Props {
  planning: Planning;
  result: Result;
  onClose: () => void;
}

/**
 * What is asked before aircraft take off by themselves: which station, whether its vehicles are ready, and what people
 * alone can look at. It is no form: Enter in a field sends nobody into the air. While the launch is on its way nothing
 * closes the dialog; without an answer it stays open, and is the same launch when it is sent again.
 */
export function SendDialog({ planning, result, onClose }: Props) {
  const checklist = useAsked(readChecklist, []);
  const chosen = useSignal<string | null>(null);
  const ticked = useSignal<readonly string[]>([]);
  const hours = useSignal("");
  const reason = useSignal("");
  const sending = useSignal(false);
  const failed = useSignal<Failure | null>(null);
  // What others have sent stands in the way; what nobody has answered may have been given.
  const newest = useAsked(readNewest, []);
  useAgain(newest, newest.failure !== null || failed.value?.open === true ? LOOK_MS : null);
  const { all: stations, away } = useStations();
  const begun = useRef(false);
  useEffect(() => {
    if (stations === undefined || begun.current) return;
    begun.current = true;
    chosen.value = obviousOf(stations);
  }, [stations]);

  const wanted = wantedOf(planning);
  const station = stations?.find(({ source }) => source === chosen.value) ?? null;
  const standings = standingsOf(wanted, station);
  const hindrances = hindrancesOf({
    planningId: planning.id,
    kept: result.validation.kept,
    away: away || newest.failure !== null,
    station,
    standings,
    launches: newest.value === undefined ? null : [...launches.value.values()],
    checklist: checklist.value ?? null,
    ticked: ticked.value,
    hours: hoursOf(hours.value),
  });
  const wish: Wish = {
    station: station?.source ?? "",
    planning_id: planning.id,
    checklist: [...ticked.value],
    hours: hoursOf(hours.value),
    reason: reason.value.trim() === "" ? null : reason.value.trim(),
  };
  // What was sent may have been given: then its own launch is what stands in its way.
  const tried = failed.value !== null && !Number.isNaN(wish.hours) && isSame(failed.value.wish, wish);
  const again = tried && failed.value?.open === true && isUnanswered(wish);
  const arrived = tried && hasArrived(wish);
  useEffect(() => {
    if (arrived) onClose();
  }, [arrived]);

  async function send(): Promise<void> {
    sending.value = true;
    failed.value = null;
    try {
      await give(wish);
      onClose();
    } catch (error) {
      failed.value = failureOf(wish, error);
    }
    sending.value = false;
  }

  const ready = again || hindrances.length === 0;
  return (
    <Dialog title={t("plan.send_title", { name: planning.name })} busy={sending.value} onClose={onClose}>
      {/* Else the first field that is there before the checklist has come would have the focus. */}
      <div class="sending" tabIndex={-1} autofocus>
        <section aria-label={t("plan.station")}>
          {/* No button to ask again: it is read as soon as the service is there. */}
          {stations === undefined ? (
            <p>{t("app.loading")}</p>
          ) : (
            <StationChoice
              stations={stations}
              wanted={wanted}
              chosen={station}
              onChoose={(source) => {
                chosen.value = source;
              }}
            />
          )}
          {station !== null && <Vehicles standings={standings} />}
        </section>
        <section aria-label={t("plan.checks")}>
          <Answer asked={checklist}>
            {(all) => (
              <TicksField
                legend={t("plan.checklist", { done: ticked.value.length, count: all.length })}
                value={ticked}
                choices={all.map(({ key, words }) => [key, words] as const)}
              />
            )}
          </Answer>
          <InputField
            label={t("plan.hours_field")}
            hint={t("plan.hours_hint", { length: span(result.shift.length_s) })}
            value={hours}
          />
          <InputField label={t("plan.reason")} value={reason} />
        </section>
      </div>
      <div class="sending-foot">
        <Hindrances found={again ? [] : hindrances} station={station} count={wanted.length} />
        <Refusal reasons={failed.value?.reasons ?? []} />
        {failed.value?.open === true && <p>{t("plan.unanswered")}</p>}
        <div class="row">
          <button type="button" class="primary" disabled={sending.value || !ready} onClick={() => void send()}>
            {again ? t("app.again") : t("plan.send_now")}
          </button>
          <button type="button" disabled={sending.value} onClick={onClose}>
            {t("app.cancel")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** The one that there is, or the one that is free; null where a person has to say which. It is asked once: a choice stays. */
function obviousOf(stations: readonly Station[]): string | null {
  const free = stations.filter(({ live, busy }) => live && busy === null);
  const [only, ...more] = stations.length === 1 ? stations : free;
  return more.length === 0 ? (only?.source ?? null) : null;
}

/** What stands in the way, or what will happen; read out as it changes. */
function Hindrances({ found, station, count }: { found: readonly Said[]; station: Station | null; count: number }) {
  return (
    <div class="hindrances" role="status">
      {found.length === 0 ? (
        <p>{t("plan.will_happen", { station: station?.source ?? "", count })}</p>
      ) : (
        <>
          <p>{t("plan.not_yet")}</p>
          <ul>
            {found.map(({ who, word, values }) => {
              const words = t(word, values);
              const text = who === undefined ? words : `${who}: ${words}`;
              return <li key={text}>{text}</li>;
            })}
          </ul>
        </>
      )}
    </div>
  );
}
