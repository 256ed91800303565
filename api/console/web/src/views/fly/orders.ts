/** Orders to vehicles: given, followed until they end, and never given twice. */

import { signal } from "@preact/signals";
import type { Position } from "geojson";
import { dataOf, type Schemas, service } from "../../api/client";
import { Stream } from "../../api/events";
import { Once } from "../../api/once";
import { Problem } from "../../api/problem";
import { may } from "../../app/session";
import { t } from "../../i18n";
import { isObject, type Vehicle } from "./records";

export type Order = Schemas["Order"];
export type OrderKind = Order["kind"];

const ENDED: readonly Order["state"][] = ["refused", "done", "failed", "expired", "withdrawn"];
const MOST = 200;
/** After the service's own end of an order, for the way of the answer. */
const GRACE_MS = 500;
/** How long an order counts that nobody takes. */
const COUNTS_S = 30;

/** Where a dispatch goes. */
export interface Target {
  at: Position;
  /** Of the cue; null for a place that was pointed at. */
  cue: string | null;
}

/** An order that a person is about to give. It keeps its name however often it is sent. */
export interface Wish {
  /** Under which the service takes it once. */
  clientId: string;
  vehicle: Vehicle;
  kind: OrderKind;
  target: Target | null;
}

export function hasEnded(order: Order): boolean {
  return ENDED.includes(order.state);
}

export class Orders {
  /** By id. */
  readonly all = signal<ReadonlyMap<string, Order>>(new Map());
  readonly #stream = new Stream("/orders/stream", ["order"]);
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #once = new Once();

  /**
   * Follow what is ordered; what comes back ends it. Who gives orders is told at once, others by their events. How all
   * stand is read by everybody: the stream may have told that to another page.
   */
  open(): () => void {
    const read = () => void this.#readAll().catch(() => undefined);
    const end = may("order.write") ? this.#stream.listen(({ data }) => this.#told(data), read) : () => undefined;
    if (may("order.read")) read();
    return () => {
      end();
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
    };
  }

  /** The last that was given to a vehicle. */
  lastOf(vehicle: string): Order | null {
    let last: Order | null = null;
    for (const each of this.all.value.values()) {
      if (each.vehicle.id === vehicle && (last === null || each.given > last.given)) last = each;
    }
    return last;
  }

  /**
   * What a person wants; not given yet. The same as was sent before and had no answer is that order still, as long as it
   * may count and is not heard to have ended: whoever gave up on it and wants it again gives no second one.
   */
  wish(vehicle: Vehicle, kind: OrderKind, target: Target | null = null): Wish {
    return { clientId: this.#once.nameOf(saying({ vehicle, kind, target })), vehicle, kind, target };
  }

  /**
   * Give it. The same wish given again, after no answer came, is one order.
   *
   * @throws {Problem} when the service refuses or cannot be reached, or it is an order that has ended: nothing is given
   */
  async give(wish: Wish): Promise<void> {
    const { clientId, vehicle, kind, target } = wish;
    const body: Schemas["OrderIn"] = {
      client_id: clientId,
      vehicle: { source: vehicle.source, source_id: vehicle.sourceId },
      kind,
      confirmed: true,
      expires_s: COUNTS_S,
    };
    if (target !== null && target.cue !== null) body.cue_id = target.cue;
    if (target !== null && target.cue === null) {
      const [lon = 0, lat = 0] = target.at;
      body.place = { lat, lon, uncertainty_m: 0 };
    }
    const answer = this.#once.send(saying(wish), clientId, COUNTS_S, (signal) =>
      service.POST("/orders", { body, signal }),
    );
    const order = dataOf(await answer);
    this.#put(order);
    if (hasEnded(order)) throw new Problem(409, t("fly.ended_before", { state: t(`fly.order_state_${order.state}`) }));
  }

  /** Whether an order under the name of that wish has ended: sent again, nothing is given. */
  isOver({ clientId }: Wish): boolean {
    return [...this.all.peek().values()].some((each) => each.client_id === clientId && hasEnded(each));
  }

  /**
   * Take back what no ground station has taken.
   *
   * @throws {Problem} when it is too late, or the service cannot be reached
   */
  async withdraw(id: string): Promise<void> {
    this.#put(dataOf(await service.DELETE("/orders/{order_id}", { params: { path: { order_id: id } } })));
  }

  /** Read how it stands. */
  async read(id: string): Promise<void> {
    if (!may("order.read")) return;
    this.#put(dataOf(await service.GET("/orders/{order_id}", { params: { path: { order_id: id } } })));
  }

  async #readAll(): Promise<void> {
    for (const each of dataOf(await service.GET("/orders")).toReversed()) this.#put(each);
  }

  #told(data: unknown): void {
    if (isObject(data) && typeof data.id === "string") this.#put(data as unknown as Order);
  }

  /** Answers and what is told overtake one another: what is older than what is known changes nothing. */
  #put(order: Order): void {
    if (hasEnded(order)) this.#once.heard(order.client_id);
    const known = this.all.peek().get(order.id);
    if (known !== undefined && isOlder(order, known)) return;
    const all = new Map(this.all.peek());
    all.delete(order.id);
    all.set(order.id, order);
    for (const id of all.keys()) {
      if (all.size <= MOST) break;
      all.delete(id);
    }
    this.all.value = all;
    clearTimeout(this.#timers.get(order.id));
    this.#timers.delete(order.id);
    // Nobody is told that an order has expired: it is asked for when its time is over.
    if (order.state === "given") this.#lookAgain(order.id, order.left_s * 1000 + GRACE_MS);
  }

  #lookAgain(id: string, ms: number): void {
    const timer = setTimeout(() => this.read(id).catch(() => this.#lookAgain(id, 2000)), ms);
    this.#timers.set(id, timer);
  }
}

/** By when each was changed; that an order has expired changes its state alone. */
function isOlder(order: Order, known: Order): boolean {
  return order.changed < known.changed || (order.changed === known.changed && hasEnded(known));
}

function saying({ vehicle, kind, target }: Omit<Wish, "clientId">): string {
  return JSON.stringify([vehicle.id, kind, target?.cue ?? target?.at ?? null]);
}
