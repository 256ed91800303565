import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { distance } from "../../map/ground";
import { Dialog } from "../../ui/Dialog";
import { reasonsOf } from "../../ui/failure";
import { Place } from "../../ui/Place";
import type { Orders, Wish } from "./orders";
import type { Watch } from "./watch";
import { distanceText, percentText } from "./words";

interface Props {
  watch: Watch;
  orders: Orders;
  wish: Wish;
  onClose: () => void;
}

/**
 * What an order will do, in words, before it is given. While it is on its way nothing closes it: nobody could tell
 * whether it was given. Without an answer it stays open, and is the same order when it is sent again.
 */
export function OrderDialog({ watch, orders, wish, onClose }: Props) {
  const [sending, setSending] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  /** What was asked is over, and is not given by sending it again. */
  const [over, setOver] = useState(false);
  const vehicle = watch.vehicles.all.value.get(wish.vehicle.id) ?? wish.vehicle;
  const { kind, target } = wish;
  const cue = target?.cue == null ? undefined : watch.cues.all.value.get(target.cue);
  const send = async () => {
    setSending(true);
    setFailed(null);
    try {
      await orders.give(wish);
      onClose();
    } catch (error) {
      setFailed(reasonsOf(error).join(" "));
      setOver(orders.isOver(wish));
      setSending(false);
    }
  };
  return (
    <Dialog title={t(`fly.ask_${kind}`, { name: vehicle.name })} busy={sending} onClose={onClose}>
      <p>{t(`fly.what_${kind}`, { name: vehicle.name })}</p>
      {target !== null && (
        <p>
          {cue === undefined ? t("fly.to_place") : t("fly.to_cue", { kind: cue.kind, sensor: cue.sensor })}{" "}
          <Place lon={target.at[0] ?? 0} lat={target.at[1] ?? 0} />
          {vehicle.at !== null && `, ${t("fly.away", { distance: distanceText(distance(vehicle.at, target.at)) })}`}
        </p>
      )}
      <p class="soft">
        {vehicle.battery !== null && `${t("fly.battery")} ${percentText(vehicle.battery)}. `}
        {t("fly.waits")}
      </p>
      {vehicle.live?.stale !== false && <p class="warning">⚠ {t("fly.not_heard")}</p>}
      <p role="alert">{failed ?? ""}</p>
      <div class="row">
        {!over && (
          <button
            type="button"
            class={kind === "land" ? "danger" : "primary"}
            disabled={sending}
            autofocus={kind !== "land"}
            onClick={() => void send()}
          >
            {failed === null ? t(`fly.order_${kind}`) : t("app.again")}
          </button>
        )}
        <button type="button" disabled={sending} onClick={onClose}>
          {t(over ? "app.close" : "app.cancel")}
        </button>
      </div>
    </Dialog>
  );
}
