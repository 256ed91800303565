/**
 * Verdicts on their way. Each is kept in the browser until the service has answered, whatever becomes of the page, and is
 * sent again with the same If-Match while the service is away: what has arrived already is refused then, and so is never
 * doubled. Pages of one person may have the same verdict: the store says whether it is to be sent still.
 *
 * Of what another page has left in the browser this one cannot tell who put it there: whoever has the same account of the
 * computer could have. None of it goes in a person's name before they have seen it and said so.
 */

import { signal } from "@preact/signals";
import type { Schemas } from "../../api/client";
import { members, number, text } from "../../api/feature";
import { Problem } from "../../api/problem";
import type { Store } from "../../app/store";

export type Category = NonNullable<Schemas["ReviewIn"]["category"]>;

/** A verdict as a person gave it. */
export interface Verdict {
  verdict: "confirm" | "dismiss";
  reason: string | null;
  category: Category | null;
}

export interface Waiting extends Verdict {
  record_id: string;
  /** ETag of what the person looked at. */
  etag: string;
  /** When it was given, milliseconds since the Unix epoch. */
  given: number;
  /** How many verdicts there were on the crossing then, as far as the page knew: this one comes after them. */
  known: number;
  /** Whether the service could not be reached since. */
  away: boolean;
}

/** A verdict of somebody, as the service has it. */
export interface Kept {
  verdict: string;
  reason: string | null;
  category: string | null;
  reviewer: string;
  /** Id of the person. */
  reviewer_key: string;
  revision: number;
  time: string;
}

/** How one sending ended. */
export type Outcome =
  /** `late`: it had been taken back, and has arrived all the same. */
  | { kind: "taken"; state: string; etag: string | null; late?: true }
  /** Somebody else was faster, or a newer revision came: `by` is the newest verdict there. */
  | { kind: "overtaken"; by: Kept | null }
  /** Another page of this person has brought it to its end, taken it back, or given another in its place. */
  | { kind: "elsewhere" }
  | { kind: "refused"; problem: Problem };

/** How taking back ended: `arrived` where it was recorded before, though no answer came, `unknown` where nobody can say. */
export type TakenBack = "unsaid" | "arrived" | "unknown";

/** What the box needs of the page and the service. */
export interface Post {
  /** Id of who is logged in now: in whose name a request would go. */
  who(): string | null;
  /** When nothing is on its way any more that a verdict has to come after. */
  clear(): Promise<void>;
  send(waiting: Waiting): Promise<{ state: string; etag: string }>;
  /** Every verdict on a crossing, oldest first, and its state. */
  read(id: string): Promise<{ reviews: readonly Kept[]; state: string; etag: string | null }>;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
/** A request that nobody waits for any more may still arrive: after what was taken back it is looked for so often. */
const LOOKS_MS = [2000, 5000, 15_000, 30_000, 60_000] as const;

/** The verdicts of one person that have not arrived. */
export class Outbox {
  readonly waiting = signal<readonly Waiting[]>([]);
  /** What another page has left under this person's account: it waits for their word. */
  readonly found = signal<readonly Waiting[]>([]);
  readonly #person: string;
  readonly #post: Post;
  readonly #store: Store;
  readonly #done: (waiting: Waiting, outcome: Outcome) => void;
  readonly #here: Set<string>;
  /** By crossing, what was taken back and may arrive yet. */
  readonly #takenBack = new Map<string, Waiting>();
  #sending = false;
  #stopped = false;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param person id of who gives them: a verdict is never sent in the name of another one
   * @param done is told how each ended
   * @param here marks of those that were given in this page, by whichever box of it; this one adds its own
   */
  constructor(
    person: string,
    post: Post,
    store: Store,
    done: (waiting: Waiting, outcome: Outcome) => void,
    here: Set<string>,
  ) {
    this.#person = person;
    this.#post = post;
    this.#store = store;
    this.#done = done;
    this.#here = here;
    const stored = store.names().filter((name) => name.startsWith(this.#nameOf("")));
    const all = stored
      .flatMap((name) => waitingOf(store.getItem(name)).filter((each) => this.#nameOf(each.record_id) === name))
      .sort((a, b) => a.given - b.given);
    this.waiting.value = all.filter((each) => here.has(this.#markOf(each)));
    this.found.value = all.filter((each) => !here.has(this.#markOf(each)));
  }

  /** What one verdict of one person is known by in the page: all that would be sent. */
  #markOf({ record_id, etag, given, verdict, reason, category }: Waiting): string {
    return JSON.stringify([this.#person, record_id, etag, given, verdict, reason, category]);
  }

  #nameOf(id: string): string {
    return `vedette.review.outbox.${this.#person}.${id}`;
  }

  /** Whether all that waits outlasts the page: a browser may have no room for it. */
  get outlasts(): boolean {
    return this.waiting.peek().every(({ record_id }) => this.#store.outlasts(this.#nameOf(record_id)));
  }

  /** Send a verdict, as soon as that is possible. */
  give(id: string, etag: string, known: number, verdict: Verdict): void {
    this.#takenBack.delete(id); // this one finds out what is there
    const { verdict: said, reason, category } = verdict;
    const given = { verdict: said, reason, category, record_id: id, etag, given: Date.now(), known, away: false };
    this.#store.setItem(this.#nameOf(id), JSON.stringify(given));
    this.#here.add(this.#markOf(given));
    this.found.value = this.found.peek().filter((each) => each.record_id !== id);
    this.waiting.value = [...this.waiting.peek().filter((each) => each.record_id !== id), given];
    void this.flush();
  }

  /** Send what another page has left, as it was shown to the person, who wants it so. */
  adopt(found: Waiting): void {
    if (!this.found.peek().includes(found)) return;
    this.#here.add(this.#markOf(found));
    this.found.value = this.found.peek().filter((each) => each !== found);
    this.waiting.value = [...this.waiting.peek(), found];
    void this.flush();
  }

  /** Look at the store again: another page may have brought to its end what it had left. */
  lookAgain(): void {
    this.found.value = this.found.peek().filter((each) => this.#isStored(each));
  }

  /**
   * Take a verdict back of which no answer came: it is sent no more. One that had arrived stands, and is told as taken.
   *
   * @returns null where nothing can be taken back: it is on its way, or has ended
   */
  async take(id: string): Promise<TakenBack | null> {
    const found = [...this.waiting.peek(), ...this.found.peek()].find((each) => each.record_id === id);
    const sends = this.#sending && !this.found.peek().some((each) => each.record_id === id);
    if (found === undefined || !found.away || sends || this.#stopped) return null;
    this.#drop(found);
    const outcome = await this.#look(found);
    if (outcome?.kind !== "taken") void this.#lookAfter(found);
    if (outcome === null || outcome.kind === "refused") return "unknown";
    if (outcome.kind === "overtaken") return "unsaid";
    if (!this.#stopped) this.#done(found, outcome);
    return "arrived";
  }

  /** Look whether what was taken back arrives after all, until that can no longer be; then it is told. */
  async #lookAfter(found: Waiting): Promise<void> {
    this.#takenBack.set(found.record_id, found);
    for (const ms of LOOKS_MS) {
      await new Promise((go) => setTimeout(go, ms));
      if (this.#stopped || this.#takenBack.get(found.record_id) !== found) return;
      const outcome = await this.#look(found).catch(() => null); // looked for again
      if (this.#stopped || this.#takenBack.get(found.record_id) !== found) return;
      if (outcome?.kind !== "taken") continue;
      this.#takenBack.delete(found.record_id);
      this.#done(found, { ...outcome, late: true });
      return;
    }
    this.#takenBack.delete(found.record_id);
  }

  /** Send all that waits, oldest first, until the service cannot be reached. */
  async flush(): Promise<void> {
    if (this.#sending || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#sending = true;
    try {
      for (let next = this.waiting.peek()[0]; next !== undefined; next = this.waiting.peek()[0]) {
        const outcome = await this.#try(next);
        if (this.#stopped) return; // what is in the store is another box's by now, and that one finds out how it ended
        if (outcome === null) {
          this.#later();
          return;
        }
        this.#pause = FIRST_PAUSE;
        this.#drop(next);
        this.#done(next, outcome);
      }
    } catch (error) {
      if (!this.#stopped) {
        // A fault of this page is told, and is no reason to keep what was given.
        this.#later();
      }
      throw error;
    } finally {
      this.#sending = false;
    }
  }

  /** Send nothing more, and touch nothing: what has not arrived stays in the store for the next box of this person. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#stopped) return;
    this.waiting.value = this.waiting.peek().map((each) => ({ ...each, away: true }));
    this.#timer = setTimeout(() => void this.flush(), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }

  /** Whether what is sent now goes in the name of who gave it. */
  get #mine(): boolean {
    return !this.#stopped && this.#post.who() === this.#person;
  }

  /** Null where the service is away, or somebody else or nobody is logged in: it may succeed later as it is. */
  async #try(waiting: Waiting): Promise<Outcome | null> {
    await this.#post.clear();
    if (!this.#mine) return null;
    if (!this.#isStored(waiting)) return { kind: "elsewhere" };
    try {
      return { kind: "taken", ...(await this.#post.send(waiting)) };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#passes(error)) return null;
      if (error.status !== 412) return { kind: "refused", problem: error };
    }
    return this.#look(waiting);
  }

  /** Whether a verdict that was sent is there; null where that cannot be found out now. */
  async #look(waiting: Waiting): Promise<Outcome | null> {
    try {
      const { reviews, state, etag } = await this.#post.read(waiting.record_id);
      if (!this.#mine) return null;
      const mine = reviews.slice(waiting.known).some((each) => this.#isThis(waiting, each));
      return mine ? { kind: "taken", state, etag } : { kind: "overtaken", by: reviews[reviews.length - 1] ?? null };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return this.#passes(error) ? null : { kind: "refused", problem: error };
    }
  }

  /** Whether it says nothing of the verdict: the service is away, or what was refused is whoever is logged in now. */
  #passes(error: Problem): boolean {
    return error.passing || error.status === 401 || !this.#mine;
  }

  /** Whether a verdict at the service is this one, of which no answer came: same person, same words, same revision. */
  #isThis(waiting: Waiting, kept: Kept): boolean {
    return (
      kept.reviewer_key === this.#person &&
      kept.verdict === waiting.verdict &&
      kept.reason === waiting.reason &&
      kept.category === waiting.category &&
      waiting.etag.startsWith(`"${kept.revision}-`)
    );
  }

  /** Wait for it no more; what was given in its place since stays. */
  #drop(waiting: Waiting): void {
    if (this.#isStored(waiting)) this.#store.removeItem(this.#nameOf(waiting.record_id));
    this.waiting.value = this.waiting.peek().filter((each) => !isSame(each, waiting));
    this.found.value = this.found.peek().filter((each) => !isSame(each, waiting));
  }

  #isStored(waiting: Waiting): boolean {
    const stored = waitingOf(this.#store.getItem(this.#nameOf(waiting.record_id)));
    return stored.some((each) => isSame(each, waiting));
  }
}

function isSame(one: Waiting, other: Waiting): boolean {
  return one.record_id === other.record_id && one.given === other.given;
}

function parsed(stored: string | null): unknown {
  try {
    return JSON.parse(stored ?? "null") as unknown;
  } catch {
    return null;
  }
}

/** The end of the year 9999: what is beyond that cannot be written as a time. */
const LAST_MS = 253_402_300_799_999;
/** What may stand in If-Match. */
const IN_A_HEADER = /^[!-~]+$/;

/** None where what is stored is no verdict. */
function waitingOf(stored: string | null): Waiting[] {
  const said = members(parsed(stored));
  const [id, etag, given] = [text(said.record_id), text(said.etag), number(said.given)];
  const verdict = said.verdict === "confirm" || said.verdict === "dismiss" ? said.verdict : null;
  if (id === null || etag === null || given === null || verdict === null) return [];
  if (given < 0 || given > LAST_MS || !IN_A_HEADER.test(etag)) return [];
  const category = CATEGORIES.find((each) => each === said.category) ?? null;
  // It may have arrived just before the page was left: it is looked for at the service.
  const known = number(said.known) ?? 0;
  return [{ record_id: id, etag, given, known, verdict, reason: text(said.reason), category, away: true }];
}

/** What a dismissal may say that it is instead. */
export const CATEGORIES: readonly Category[] = [
  "animal",
  "vegetation",
  "camera-artefact",
  "authorised-person",
  "duplicate",
  "other",
];
