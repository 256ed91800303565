import type { ComponentChildren } from "preact";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { attempt } from "../../ui/failure";
import { shortcut } from "../../ui/keys";
import { Place } from "../../ui/Place";
import { Shortcut } from "../../ui/Shortcut";
import { Time } from "../../ui/Time";
import { useAboveGround } from "./height";
import { LivePictures } from "./LivePicture";
import { hasEnded, type Order, type OrderKind, type Orders } from "./orders";
import { Battery, sortieOfVehicle } from "./Roster";
import type { Vehicle } from "./records";
import type { Watch } from "./watch";
import { ageText, linkWord, nextOf, speedText } from "./words";

/** Each order, in the order of its buttons, with its key. */
export const ORDER_KEYS: readonly (readonly [OrderKind, string])[] = [
  ["pause", "p"],
  ["resume", "r"],
  ["return", "b"],
  ["land", "l"],
  ["dispatch", "d"],
];

interface Props {
  watch: Watch;
  orders: Orders;
  vehicle: Vehicle;
  follows: boolean;
  onFollow: () => void;
  onOrder: (kind: OrderKind) => void;
  onClose: () => void;
}

/** The vehicle that is looked at: how it fares, what it sees, and what it can be told. */
export function Details({ watch, orders, vehicle, follows, onFollow, onOrder, onClose }: Props) {
  const order = orders.lastOf(vehicle.id);
  const next = nextOf(order, sortieOfVehicle(watch, vehicle));
  const minutes = watch.history(vehicle.id)?.minutesLeft ?? null;
  return (
    <section class="details" aria-label={vehicle.name}>
      <header>
        <h2>{vehicle.name}</h2>
        <span>{vehicle.state ?? t("fly.state_unknown")}</span>
        <button type="button" aria-pressed={follows} onClick={onFollow}>
          {t("fly.follow")}
        </button>
        <button type="button" class="plain" aria-label={t("app.close")} onClick={onClose}>
          ×
        </button>
      </header>
      {/* Before what may be long: nobody has to look for the way home of a vehicle. */}
      {may("order.write") && vehicle.source !== "" && (
        <fieldset class="orders">
          <legend class="unseen">{t("fly.orders")}</legend>
          {ORDER_KEYS.map(([kind, key]) => (
            <button
              key={kind}
              type="button"
              class={kind === "return" ? "primary" : ""}
              aria-keyshortcuts={shortcut(key)}
              onClick={() => onOrder(kind)}
            >
              {t(`fly.order_${kind}`)} <Shortcut of={key} />
            </button>
          ))}
        </fieldset>
      )}
      <Standing order={order} orders={orders} />
      {may("picture.read") && <LivePictures vehicle={vehicle} />}
      <dl>
        <Fact name={t("fly.link")}>
          {t(linkWord(vehicle))}
          {vehicle.live !== null && (
            <small> {t("fly.ago", { age: ageText(vehicle.live.time, watch.now.value) })}</small>
          )}
        </Fact>
        <Fact name={t("fly.battery")}>
          <Battery vehicle={vehicle} />
          {minutes !== null && <small> {t("fly.minutes_left", { minutes: Math.floor(minutes) })}</small>}
        </Fact>
        <Fact name={t("fly.height")}>
          <Height vehicle={vehicle} />
        </Fact>
        <Fact name={t("fly.speed")}>{vehicle.speed === null ? "–" : speedText(vehicle.speed)}</Fact>
        <Fact name={t("fly.heading")}>{vehicle.heading === null ? "–" : `${Math.round(vehicle.heading)}°`}</Fact>
        <Fact name={t("fly.mode")}>{vehicle.mode ?? "–"}</Fact>
        <Fact name={t("fly.frame")}>{t(`fly.frame_${vehicle.frame ?? "unknown"}`)}</Fact>
        {vehicle.at !== null && (
          <Fact name={t("fly.place")}>
            <Place lon={vehicle.at[0] ?? 0} lat={vehicle.at[1] ?? 0} />
          </Fact>
        )}
        {next !== null && (
          <Fact name={t("fly.next")}>
            {t(next.word)} {next.at !== null && <Time at={next.at} date={false} />}
          </Fact>
        )}
      </dl>
    </section>
  );
}

/** Never a bare figure: above the ground where that is known, and always above mean sea level. */
function Height({ vehicle }: { vehicle: Vehicle }) {
  const above = useAboveGround(vehicle.at, vehicle.altitude);
  if (vehicle.altitude === null) return <>–</>;
  const amsl = t("fly.amsl", { metres: Math.round(vehicle.altitude) });
  if (above === null) return <>{amsl}</>;
  return (
    <span title={t("fly.ground_by")}>
      {t("fly.above_ground", { metres: Math.round(above) })} <small>{amsl}</small>
    </span>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** How the last order stands, told as it changes. */
function Standing({ order, orders }: { order: Order | null; orders: Orders }) {
  return (
    <div class="standing" role="status">
      {order !== null && (
        <>
          <p class={order.state}>
            <strong>{t(`fly.order_${order.kind}`)}</strong>: {t(`fly.order_state_${order.state}`)}{" "}
            <Time at={order.changed} date={false} /> <small>{order.by}</small>
          </p>
          {order.words !== null && hasEnded(order) && <p>{order.words}</p>}
          {order.state === "given" && may("order.write") && (
            <button type="button" onClick={() => void attempt(() => orders.withdraw(order.id))}>
              {t("fly.withdraw")}
            </button>
          )}
        </>
      )}
    </div>
  );
}
