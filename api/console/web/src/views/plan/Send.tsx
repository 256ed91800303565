import { useSignal } from "@preact/signals";
import "./send.css";
import { useEffect } from "preact/hooks";
import { to } from "../../app/router";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { Answer } from "../../ui/Answer";
import { Asking } from "../../ui/Asking";
import { useAsked } from "../../ui/asked";
import { attempt } from "../../ui/failure";
import { Scroll } from "../../ui/Scroll";
import { Time } from "../../ui/Time";
import { hear, type Launch, launchesOf, readNewest, withdraw } from "./launches";
import type { Planning, Result } from "./planning";
import { SendDialog } from "./SendDialog";
import { isOnItsWay } from "./states";

/** Send the plan to its vehicles, and see what came of it whenever it was sent. */
export function Send({ planning, result, onAdopt }: { planning: Planning; result: Result; onAdopt: () => void }) {
  const asked = useSignal<Planning | null>(null);
  const told = useAsked(readNewest, [planning.id]);
  const sent = launchesOf(planning.id);
  const [newest] = sent;
  useEffect(() => hear(told.again), [told.again]);
  const { kept } = result.validation;
  return (
    <div class="send">
      {!planning.adopted && (
        <p>
          {t("plan.adopt_first")}{" "}
          <button type="button" onClick={onAdopt}>
            {t("plan.to_adopt")}
          </button>
        </p>
      )}
      {!kept && <p class="fault">{t("plan.rules_broken")}</p>}
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={!planning.adopted || !kept || !may("order.write")}
          onClick={() => {
            asked.value = planning;
          }}
        >
          {t("plan.send")}
        </button>
        <div class="newest" role="status">
          {newest !== undefined && <Newest launch={newest} />}
        </div>
      </div>
      <Answer asked={told}>
        {() => (sent.length === 0 ? <p class="soft">{t("plan.not_sent")}</p> : <Launches all={sent} />)}
      </Answer>
      <Asking about={asked}>{(one, close) => <SendDialog planning={one} result={result} onClose={close} />}</Asking>
    </div>
  );
}

/** What came of the last one, and what can be done now. */
function Newest({ launch }: { launch: Launch }) {
  const busy = useSignal(false);
  const { state, station, expires_at, words } = launch;
  return (
    <>
      <p class={`state ${state}`}>
        {t(`plan.launch_${state}`, { station })}
        {state === "given" && " "}
        {state === "given" && <Time at={expires_at} date={false} />}
        {words !== null && `: ${words}`}
      </p>
      {state === "given" && may("order.write") && (
        <button
          type="button"
          disabled={busy.value}
          onClick={async () => {
            busy.value = true;
            await attempt(() => withdraw(launch)); // said in every view: what was not withdrawn may fly
            busy.value = false;
          }}
        >
          {t("plan.withdraw")}
        </button>
      )}
      {isOnItsWay(launch) && <a href={to("fly")}>{t("plan.watch_in_fly")}</a>}
    </>
  );
}

function Launches({ all }: { all: readonly Launch[] }) {
  return (
    <Scroll>
      <table>
        <caption>{t("plan.sent_before")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("plan.given_at")}</th>
            <th scope="col">{t("plan.given_by")}</th>
            <th scope="col">{t("plan.station")}</th>
            <th scope="col">{t("plan.hours")}</th>
            <th scope="col">{t("plan.outcome")}</th>
            <th scope="col">{t("plan.reason")}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <tr key={one.id}>
              <td>
                <Time at={one.given_at} />
              </td>
              <td>{one.by}</td>
              <td>{one.station}</td>
              <td>{one.hours === null ? t("plan.whole_shift") : `${one.hours} h`}</td>
              <td class={`state ${one.state}`}>
                {t(`plan.state_of_${one.state}`)}
                {one.words !== null && `: ${one.words}`}
              </td>
              <td>{one.reason ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
