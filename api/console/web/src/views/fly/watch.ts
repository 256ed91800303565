/** What is to be seen in the air and on the ground now: read once, then kept up with the streams of the service. */

import { batch, effect, signal } from "@preact/signals";
import type { Position } from "geojson";
import { type Change, Changes } from "../../api/changes";
import { admitted } from "../../api/client";
import { Stream, type Told } from "../../api/events";
import { worstOf } from "../../api/worst";
import { may, me } from "../../app/session";
import { serviceNow, skewS } from "../../app/skew";
import { attempt } from "../../ui/failure";
import { isOver } from "./age";
import { Alarms, wrongWith } from "./alarms";
import { History } from "./history";
import { changed, Kept, prune } from "./kept";
import { listOf } from "./lists";
import { Motion } from "./motion";
import { changedOf, goneOf, newsOf } from "./news";
import { asTold, Readings } from "./readings";
import {
  type Crossing,
  type Cue,
  crossingOf,
  cueOf,
  isObject,
  type Segment,
  type Sensor,
  type Sortie,
  segmentOf,
  sensorOf,
  sortieOf,
  type Vehicle,
  vehicleOf,
} from "./records";

/** How far back cues and crossings are shown. */
const BACK_MS = 24 * 3600_000;
/** So many of each are kept. */
const MOST_CUES = 2000;
const MOST_CROSSINGS = 20_000;
/** So long the first reading waits for the stream that tells of what comes after it. */
const OPEN_MS = 2000;
/** How long after a first reading that failed it is tried again. */
const AGAIN_MS = 5000;
const TICK_MS = 1000;
const PRUNE_MS = 60_000;
/** What comes within this is shown together: what moves on the map does so no oftener. */
const TOGETHER_MS = 250;
/** The service tells of each vehicle at this pace. */
const PACE_MS = 1000;

export class Watch {
  readonly vehicles = new Kept<Vehicle>();
  readonly cues = new Kept<Cue>();
  readonly crossings = new Kept<Crossing>();
  readonly sensors = new Kept<Sensor>();
  readonly segments = new Kept<Segment>();
  readonly sorties = new Kept<Sortie>();
  readonly alarms = new Alarms();
  /** Where each vehicle is drawn. */
  readonly motion = new Motion();
  /** Whether the vehicles have been read. */
  readonly ready = signal(false);
  /** Where the last crossing was, though it is too old to be shown: for who has nothing else to bring a map to. */
  readonly lastPlace = signal<Position | null>(null);
  /** By the service's clock, milliseconds since the Unix epoch, a step a second: ages go by it. */
  readonly now = signal(serviceNow());
  readonly #readings = new Readings();
  readonly #histories = new Map<string, History>();
  readonly #heard = new Map<string, number>();
  readonly #stream = new Stream("/vehicles/stream", ["vehicle", "gone"]);
  readonly #changes = new Changes();
  /** How the line to the service stands: the worst of what this view lives on. */
  readonly line = worstOf([this.#stream, this.#changes]);
  readonly #onOrder: (orderId: string) => void;
  /** Vehicles that were heard when they were looked at last. */
  readonly #well = new Set<string>();
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** All has been read once, or is being read. */
  #begun = false;
  /** What there was before has been read: what comes now is news. */
  #known = false;

  /** @param onOrder is told the id of an order that was given or changed, where events are told of at all */
  constructor(onOrder: (orderId: string) => void) {
    this.#onOrder = onOrder;
  }

  /** What was heard of a vehicle of late. */
  history(id: string): History | undefined {
    return this.#histories.get(id);
  }

  /** Begin to watch; what comes back ends it. */
  open(): () => void {
    const back = (read: () => Promise<void>) => () => void attempt(read);
    const ends: (() => void)[] = [];
    const each = (ms: number, act: () => void) => {
      const timer = setInterval(act, ms);
      ends.push(() => clearInterval(timer));
    };
    const vehicles = back(() => this.#readVehicles());
    ends.push(this.#stream.listen((told) => this.#onVehicle(told), vehicles));
    each(TICK_MS, () => this.#tick());
    each(PRUNE_MS, () => this.#prune());
    const ground = back(() => this.#readGround());
    ends.push(this.#changes.listen((change) => this.#onChange(change), ground));
    void this.#begin();
    each(AGAIN_MS, () => admitted.peek() && !this.#begun && void this.#begin());
    return () => {
      for (const end of ends) end();
    };
  }

  async #begin(): Promise<void> {
    this.#begun = true;
    const read = await attempt(() => this.#readVehicles());
    this.ready.value = true;
    await this.#opened();
    this.#begun = read && (await attempt(() => this.#readGround()));
  }

  /**
   * Until changes are streamed, or cannot be now: what came after a reading and before that would be told to nobody. Where
   * that takes long nobody is kept waiting, and all is read again when it is there.
   */
  async #opened(): Promise<void> {
    const { connection } = this.#changes;
    let late = false;
    await new Promise<void>((go) => {
      const timer = setTimeout(() => {
        late = true;
        go();
      }, OPEN_MS);
      const end = effect(() => {
        if (connection.value === "opening") return;
        clearTimeout(timer);
        go();
        if (late) void attempt(() => this.#readGround());
        queueMicrotask(() => end());
      });
    });
  }

  async #readVehicles(): Promise<void> {
    await this.#readings.during(async (told) => {
      const all = asTold(await listOf("vehicles", vehicleOf), this.vehicles, told);
      for (const id of goneOf(this.vehicles.ids, all)) this.#forget(id);
      for (const one of all) if (!told.has(one.id)) this.#hear(one);
    });
    this.#show();
  }

  async #readGround(): Promise<void> {
    await Promise.all([
      this.#readings.during((told) => this.#readAssets(told)),
      this.#readings.during((told) => this.#readNews(told)),
    ]);
    const { vehicles, segments, crossings } = this;
    if ([vehicles, segments, crossings].some(({ ids }) => ids.length > 0) || !may("crossing.read")) return;
    const [last] = await listOf("crossings", crossingOf, { limit: "1" }, 1);
    this.lastPlace.value = last?.at ?? null;
  }

  async #readAssets(told: ReadonlySet<string>): Promise<void> {
    const [segments, sensors, sorties] = await Promise.all([
      listOf("segments", segmentOf),
      listOf("sensors", sensorOf),
      listOf("sorties", sortieOf, {}, 2000),
    ]);
    this.segments.replace(asTold(segments, this.segments, told));
    this.sensors.replace(asTold(sensors, this.sensors, told));
    this.sorties.replace(asTold(sorties, this.sorties, told));
    for (const id of this.vehicles.all.peek().keys()) this.#changed.add(id); // of a line that was not known
    this.#show();
  }

  async #readNews(told: ReadonlySet<string>): Promise<void> {
    const sinceMs = serviceNow() - BACK_MS;
    const since = { from: new Date(sinceMs).toISOString() };
    const [knewCues, knewCrossings] = [this.cues.since(sinceMs), this.crossings.since(sinceMs)];
    const [readCues, readCrossings] = await Promise.all([
      may("cue.read") ? listOf("cues", cueOf, since, MOST_CUES) : [],
      may("crossing.read") ? listOf("crossings", crossingOf, since, MOST_CROSSINGS) : [],
    ]);
    const cues = asTold(readCues, this.cues, told);
    const crossings = asTold(readCrossings, this.crossings, told);
    const news = newsOf(cues, this.cues, this.#known);
    for (const one of changedOf(cues, this.cues)) this.#onCue(one, news.has(one.id));
    const passed = newsOf(crossings, this.crossings, this.#known);
    for (const one of changedOf(crossings, this.crossings)) this.#onCrossing(one, passed.has(one.id));
    for (const id of goneOf(knewCues, cues, MOST_CUES)) this.#onRecord("cue", id, null, false);
    for (const id of goneOf(knewCrossings, crossings, MOST_CROSSINGS)) this.#onRecord("crossing", id, null, false);
    this.#known = true;
    this.#show();
  }

  #onVehicle({ kind, data }: Told): void {
    if (kind === "vehicle") {
      const one = vehicleOf(data);
      if (one !== null) {
        this.#readings.tell(one.id);
        this.#hear(one);
      }
    } else if (isObject(data)) {
      this.#readings.tell(String(data.id));
      this.#forget(String(data.id));
    }
    this.#later();
  }

  #onChange(change: Change): void {
    if (change.of === "order") this.#onOrder(change.id);
    if (change.of !== "record") return;
    this.#readings.tell(change.id);
    this.#onRecord(change.type, change.id, change.feature, change.isNew);
    this.#later();
  }

  /** `feature` is null for a record that may not be seen any more. */
  #onRecord(type: string, id: string, feature: unknown, news: boolean): void {
    switch (type) {
      case "cue":
        changed(this.cues, id, cueOf(feature), (one) => this.#onCue(one, news));
        if (feature == null) this.alarms.end("cue", id);
        break;
      case "crossing":
        changed(this.crossings, id, crossingOf(feature), (one) => this.#onCrossing(one, news));
        if (feature == null) this.alarms.end("crossing", id);
        break;
      case "segment":
        changed(this.segments, id, segmentOf(feature));
        break;
      case "sensor":
        changed(this.sensors, id, sensorOf(feature));
        break;
      case "sortie":
        changed(this.sorties, id, sortieOf(feature));
        break;
      case "vehicle":
        if (feature == null) this.alarms.set(id, {}, new Date(serviceNow()).toISOString());
        // What is live of it is told by the stream of vehicles alone.
        if (this.vehicles.get(id)?.live == null) changed(this.vehicles, id, vehicleOf(feature));
    }
  }

  #onCue(cue: Cue, news: boolean): void {
    this.cues.put(cue);
    if (news) this.alarms.happen("cue", cue.id, { kind: cue.kind, sensor: cue.sensor }, cue.time);
  }

  #onCrossing(one: Crossing, news: boolean): void {
    this.crossings.put(one);
    if (one.isOff) this.alarms.end("crossing", one.id);
    else if (news) this.alarms.happen("crossing", one.id, { kind: one.kind, direction: one.direction }, one.time);
  }

  #hear(one: Vehicle): void {
    this.vehicles.put(one);
    this.#changed.add(one.id);
    this.#heard.set(one.id, Date.now());
    const history = this.#histories.get(one.id) ?? new History();
    this.#histories.set(one.id, history);
    history.add(one);
    if (one.at !== null) this.motion.head(one.id, one.at, performance.now(), PACE_MS);
  }

  /** Nothing live of it is told any more. A partner may not know where it was; those inside know that it was across. */
  #forget(id: string): void {
    const one = this.vehicles.get(id);
    const mayKnow = one !== undefined && me.peek()?.partner_id == null;
    const wrong = mayKnow ? wrongWith({ ...one, live: null }, [], 0, this.alarms.held(id)) : {};
    this.vehicles.drop(id);
    this.#histories.delete(id);
    this.#heard.delete(id);
    this.#well.delete(id);
    this.motion.forget(id);
    this.alarms.set(id, wrong, new Date(serviceNow()).toISOString());
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#show();
    }, TOGETHER_MS);
  }

  #show(): void {
    batch(() => {
      for (const kept of [this.vehicles, this.cues, this.crossings, this.sensors, this.segments, this.sorties])
        kept.show();
      const segments = [...this.segments.all.peek().values()];
      const at = new Date(serviceNow());
      for (const id of this.#changed) {
        const one = this.vehicles.get(id);
        if (one === undefined) continue;
        const wasHeard = this.#well.delete(id);
        if (one.live?.stale === false) this.#well.add(id);
        const wrong = wrongWith(one, segments, at.getTime(), this.alarms.held(id), wasHeard);
        this.alarms.set(id, wrong, at.toISOString());
      }
      this.#changed = new Set();
    });
  }

  #tick(): void {
    const now = Date.now();
    this.now.value = serviceNow();
    for (const id of this.vehicles.ids) {
      const one = this.vehicles.get(id); // as it was told of last, shown or not
      if (one?.live == null || one.live.stale) continue;
      if (!isOver(one.live, this.#heard.get(one.id) ?? 0, now, skewS.peek())) continue;
      this.vehicles.put({ ...one, live: { ...one.live, stale: true } });
      this.#changed.add(one.id);
    }
    this.#show();
  }

  #prune(): void {
    prune(this.cues, serviceNow() - BACK_MS, MOST_CUES);
    prune(this.crossings, serviceNow() - BACK_MS, MOST_CROSSINGS);
    this.#show();
  }
}
