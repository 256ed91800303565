/** What somebody at the page watches, hears and orders. It begins with the first look and goes on under other views. */

import { effect, signal } from "@preact/signals";
import { onceBack } from "../../ui/attention";
import { Orders } from "./orders";
import { beep } from "./sound";
import { Watch } from "./watch";

export class Station {
  readonly orders = new Orders();
  readonly watch = new Watch(onceBack((id) => void this.orders.read(id).catch(() => undefined)));
  /** Whether alarms are heard. */
  readonly sounds = signal(false);

  constructor() {
    this.watch.open();
    this.orders.open();
    effect(() => {
      if (this.watch.alarms.newest.value !== null && this.sounds.peek()) beep();
    });
  }
}

let one: Station | null = null;

/** The one of this page, which is one account's for as long as it lasts (app/session). */
export function station(): Station {
  one ??= new Station();
  return one;
}
