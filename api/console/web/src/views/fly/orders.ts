/** Orders to vehicles: given, followed until they end, and never given twice. */

import { signal } from "@preact/signals";
import type { Position } from "geojson";
import { dataOf, type Schemas, service } from "../../api/client";
import { Stream } from "../../api/events";
import { may } from "../../app/session";
import { isObject, type Vehicle } from "./records";

export type Order = Schemas["Order"];
export type OrderKind = Order["kind"];

const ENDED: readonly Order["state"][] = ["refused", "done", "failed", "expired", "withdrawn"];
const MOST = 200;
/** After the service's own end of an order, for the way of the answer. */
const GRACE_MS = 500;

/** Where a dispatch goes. */
export interface Target {
  at: Position;
  /** Of the cue; null for a place that was pointed at. */
  cue: string | null;
}

/** An order that a person is about to give. It keeps its name however often it is sent. */
export interface Wish {
  clientId: string;
  vehicle: Vehicle;
  kind: OrderKind;
  target: Target | null;
}

/** What a person wants; not given yet. */
export function wish(vehicle: Vehicle, kind: OrderKind, target: Target | null = null): Wish {
  // crypto.randomUUID is there on secure origins alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { clientId: [...bytes].map((each) => each.toString(16).padStart(2, "0")).join(""), vehicle, kind, target };
}

export function hasEnded(order: Order): boolean {
  return ENDED.includes(order.state);
}

export class Orders {
  /** By id. */
  readonly all = signal<ReadonlyMap<string, Order>>(new Map());
  readonly #stream = new Stream("/orders/stream", ["order"]);
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** Follow what is ordered; what comes back ends it. Who gives orders is told at once, others by their events. */
  open(): () => void {
    const end = may("order.write") ? this.#stream.listen(({ data }) => this.#told(data)) : () => undefined;
    if (may("order.read") && !may("order.write")) void this.#readAll().catch(() => undefined);
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
   * Give it. The same wish given again, after no answer came, is one order.
   *
   * @throws {Problem} when the service refuses or cannot be reached
   */
  async give({ clientId, vehicle, kind, target }: Wish): Promise<void> {
    const body: Schemas["OrderIn"] = {
      client_id: clientId,
      vehicle: { source: vehicle.source, source_id: vehicle.sourceId },
      kind,
      confirmed: true,
      expires_s: 30,
    };
    if (target !== null && target.cue !== null) body.cue_id = target.cue;
    if (target !== null && target.cue === null) {
      const [lon = 0, lat = 0] = target.at;
      body.place = { lat, lon, uncertainty_m: 0 };
    }
    this.#put(dataOf(await service.POST("/orders", { body })));
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

  #put(order: Order): void {
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
