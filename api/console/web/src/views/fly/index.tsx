import "./fly.css";
import { useState } from "preact/hooks";
import { go, place, to } from "../../app/router";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { connectionText } from "../../ui/connection";
import { useKeys } from "../../ui/keys";
import { MeasureButton } from "../../ui/measure/Measure";
import { measuring } from "../../ui/measure/measuring";
import { AlarmList } from "./AlarmList";
import type { Alarm } from "./alarms";
import { Aim, CueDetails } from "./Cues";
import { Details, ORDER_KEYS } from "./Details";
import { FlyMap, type Hit, type Sight } from "./FlyMap";
import { OrderDialog } from "./OrderDialog";
import type { OrderKind, Target, Wish } from "./orders";
import { Roster, rosterOf } from "./Roster";
import type { Vehicle } from "./records";
import { station } from "./station";

/** Vehicles in the air: where they are, how they fare, what they see, and what they are told to do. */
export default function Fly() {
  const { watch, orders, sounds } = station();
  const chosen = place.value.parts[0] ?? null;
  const vehicle = chosen === null ? undefined : watch.vehicles.all.value.get(chosen);
  const [cueId, setCueId] = useState<string | null>(null);
  const cue = cueId === null ? undefined : watch.cues.all.value.get(cueId);
  const [follows, setFollows] = useState(false);
  const [fit, setFit] = useState(0);
  const [sight, setSight] = useState<Sight | null>(null);
  const [aims, setAims] = useState(false);
  const [wanted, setWanted] = useState<Wish | null>(null);

  const choose = (id: string | null) => {
    go(to("fly", id === null ? [] : [id]), true);
    setCueId(null);
    setAims(false);
  };
  /** From the list: whoever chooses a vehicle that is off the map wants to see it. */
  const pick = (id: string) => {
    choose(id);
    const at = watch.vehicles.all.peek().get(id)?.at;
    if (at != null) setSight({ at, unlessSeen: true });
  };
  const step = (by: number) => {
    const all = rosterOf(watch);
    const now = all.findIndex((each) => each.id === chosen);
    const next = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length];
    if (next !== undefined) pick(next.id);
  };
  const order = (kind: OrderKind) => {
    if (vehicle === undefined || !may("order.write") || vehicle.source === "") return;
    if (kind === "dispatch") setAims(true);
    else setWanted(orders.wish(vehicle, kind));
  };
  const send = (one: Vehicle, target: Target) => {
    setAims(false);
    setWanted(orders.wish(one, "dispatch", target));
  };
  const hit = ({ kind, id, at }: Hit) => {
    if (measuring.peek()) return;
    const found = watch.cues.all.peek().get(id);
    if (aims && vehicle !== undefined) {
      if (kind === "cue" && found !== undefined) send(vehicle, { at: found.at, cue: id });
      else send(vehicle, { at, cue: null });
    } else if (kind === "vehicle") choose(id);
    else if (kind === "cue") setCueId(id);
  };
  const look = (alarm: Alarm) => {
    const at =
      watch.vehicles.all.peek().get(alarm.record)?.at ??
      watch.cues.all.peek().get(alarm.record)?.at ??
      watch.crossings.all.peek().get(alarm.record)?.at;
    if (at != null) setSight({ at });
    if (watch.vehicles.all.peek().has(alarm.record)) choose(alarm.record);
    if (watch.cues.all.peek().has(alarm.record)) setCueId(alarm.record);
  };
  const seeFirst = () => {
    const first = watch.alarms.list.peek().find((each) => !each.seen);
    if (first !== undefined) watch.alarms.see(first.key);
  };
  const back = () => {
    if (aims) setAims(false);
    else if (cueId !== null) setCueId(null);
    else choose(null);
  };
  const mayOrder = () => vehicle !== undefined && may("order.write");

  useKeys([
    { key: "j", repeats: true, word: "fly.key_next", act: () => step(1) },
    { key: "k", repeats: true, word: "fly.key_before", act: () => step(-1) },
    { key: "a", word: "fly.key_see", act: seeFirst },
    { key: "f", word: "fly.key_follow", act: () => setFollows(!follows), when: () => vehicle !== undefined },
    { key: "g", word: "fly.key_fit", act: () => setFit(fit + 1) },
    ...ORDER_KEYS.map(([kind, key]) => ({
      key,
      word: `fly.order_${kind}` as const,
      act: () => order(kind),
      when: mayOrder,
    })),
    { key: "Escape", word: "fly.key_back", act: back, when: () => !measuring.peek() },
  ]);

  const connection = watch.line.connection.value;
  return (
    <>
      <h1 class="unseen">{t("fly.title")}</h1>
      <div class="sky">
        <FlyMap
          watch={watch}
          chosen={chosen}
          follows={follows && vehicle !== undefined}
          aims={aims}
          fit={fit}
          sight={sight}
          onHit={hit}
          onPull={() => setFollows(false)}
        />
        <p class={`line ${connection}`} role="status">
          {connectionText(connection, watch.line.heard.value)}
        </p>
        <div class="hands">
          <MeasureButton />
          <button type="button" onClick={() => setFit(fit + 1)}>
            {t("fly.fit")}
          </button>
        </div>
      </div>
      <aside class="side">
        <AlarmList alarms={watch.alarms} sounds={sounds} onShow={look} />
        {aims && vehicle !== undefined ? (
          <Aim
            watch={watch}
            vehicle={vehicle}
            onTarget={(one) => send(vehicle, { at: one.at, cue: one.id })}
            onClose={() => setAims(false)}
          />
        ) : cue !== undefined ? (
          <CueDetails
            watch={watch}
            cue={cue}
            onSend={(one) => send(one, { at: cue.at, cue: cue.id })}
            onClose={() => setCueId(null)}
          />
        ) : (
          vehicle !== undefined && (
            <Details
              watch={watch}
              orders={orders}
              vehicle={vehicle}
              follows={follows}
              onFollow={() => setFollows(!follows)}
              onOrder={order}
              onClose={() => choose(null)}
            />
          )
        )}
        <Roster watch={watch} orders={orders} chosen={chosen} onChoose={pick} />
      </aside>
      {wanted !== null && <OrderDialog watch={watch} orders={orders} wish={wanted} onClose={() => setWanted(null)} />}
    </>
  );
}
