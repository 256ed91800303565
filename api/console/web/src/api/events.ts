/**
 * Streams of the service: what happens is told to whoever asked, in order, over cuts of the connection.
 *
 * A browser opens six connections to a host, and a stream holds one for good. So the pages of an account share their
 * streams, in a worker of all of them; where a browser has no such worker, each page has its own.
 */

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { look, person } from "../app/session";
import { admitted } from "./client";
import { type Asked, Hub, type Said } from "./hub";
import workerUrl from "./hub.worker?sharedworker&url";
import type { State } from "./line";

/** `silent`: it is there as far as anybody knows, and nothing comes of it. */
export type Connection = "none" | "opening" | "live" | "silent" | "lost";

/** One thing that a stream told. */
export interface Told {
  /** Kind of the event, as the AsyncAPI document names it. */
  kind: string;
  data: unknown;
}

/** A shared worker that says nothing for so long is none. */
const WORKER_MS = 5000;

/** What one part of the page wants of a stream. */
export class Stream {
  readonly #source: Source;
  readonly #kinds: ReadonlySet<string>;

  /**
   * @param path of the stream
   * @param kinds names of the events in it that are wanted
   */
  constructor(path: string, kinds: readonly string[]) {
    this.#source = sources.get(path) ?? new Source(path);
    sources.set(path, this.#source);
    this.#kinds = new Set(kinds);
  }

  /** How it stands. */
  get connection(): ReadonlySignal<Connection> {
    return this.#source.connection;
  }

  /** When anything came of it last, as far as its standing told; milliseconds since the Unix epoch. */
  get heard(): ReadonlySignal<number | null> {
    return this.#source.heard;
  }

  /**
   * Listen. What a stream tells of at its beginning may have been told to another page: who needs it reads it.
   *
   * @param back is called when the stream is there again after a cut: it resumes where it was, but what a page shows may
   *   have been read before
   * @returns what ends it
   */
  listen(listener: (told: Told) => void, back: () => void = () => undefined): () => void {
    return this.#source.join({ kinds: this.#kinds, listener, back });
  }
}

interface Seat {
  kinds: ReadonlySet<string>;
  listener: (told: Told) => void;
  back: () => void;
}

const sources = new Map<string, Source>();

/** A stream as the parts of this page share it. */
class Source {
  readonly connection = signal<Connection>("none");
  readonly heard = signal<number | null>(null);
  readonly #path: string;
  readonly #seats = new Set<Seat>();
  #cut = false;
  #waits: () => void = () => undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get isWanted(): boolean {
    return this.#seats.size > 0;
  }

  join(seat: Seat): () => void {
    this.#seats.add(seat);
    if (this.#seats.size === 1) {
      this.connection.value = "opening";
      ask({ act: "want", path: this.#path });
    }
    return () => {
      if (!this.#seats.delete(seat) || this.isWanted) return;
      this.#waits();
      ask({ act: "leave", path: this.#path });
      this.#cut = false;
      this.connection.value = "none";
    };
  }

  /** Ask for it again: what was told meanwhile was told to nobody here. */
  wantAgain(): void {
    this.#cut = true;
    ask({ act: "want", path: this.#path });
  }

  hear(said: Said): void {
    if (!this.isWanted) return;
    if ("state" in said) this.#stand(said.state);
    else for (const { kind, data } of said.events) this.#tell(kind, data);
  }

  #tell(kind: string, data: string): void {
    const seats = [...this.#seats].filter((seat) => seat.kinds.has(kind));
    if (seats.length === 0) return;
    const told: Told = { kind, data: JSON.parse(data) as unknown };
    for (const seat of seats) seat.listener(told);
  }

  #stand({ standing, heard }: State): void {
    const before = this.connection.peek();
    this.heard.value = heard;
    this.connection.value = standing === "refused" ? "lost" : standing;
    this.#waits();
    if (standing === "refused") this.#readmit();
    if (standing !== "live") {
      this.#cut ||= standing !== "opening" || before === "live";
      return;
    }
    const back = this.#cut ? [...this.#seats] : [];
    this.#cut = false;
    for (const seat of back) seat.back();
  }

  /** Find out who is there now; what has ended is not begun anew by that. Whoever is back, or was there all along, goes on. */
  #readmit(): void {
    let over = false;
    this.#waits = () => {
      over = true;
    };
    void look()
      .catch(() => undefined) // out of reach: the line asks again, and is told so itself
      .then(() => {
        if (over) return;
        this.#waits = effect(() => {
          if (admitted.value) ask({ act: "again", path: this.#path });
        });
      });
  }
}

let port: MessagePort | null = null;

function ask(asked: Asked): void {
  port ??= open();
  port.postMessage(asked);
}

function open(): MessagePort {
  const account = person.peek()?.account_id ?? "";
  addEventListener("pagehide", () => port?.postMessage({ act: "gone" } satisfies Asked));
  addEventListener("pageshow", ({ persisted }) => persisted && wantAll());
  if (typeof SharedWorker === "undefined") return ownHub(account);
  const worker = new SharedWorker(workerUrl, { type: "module", name: account });
  // A worker that cannot be had, or does not speak: this page helps itself, and says so to nobody.
  const alone = () => {
    clearTimeout(silence);
    if (port !== worker.port) return;
    worker.port.postMessage({ act: "gone" } satisfies Asked);
    worker.port.close();
    port = ownHub(account);
    wantAll();
  };
  const silence = setTimeout(alone, WORKER_MS);
  worker.onerror = alone;
  worker.port.onmessage = (event: MessageEvent<Said>) => {
    clearTimeout(silence);
    hear(event);
  };
  return worker.port;
}

/** A hub of this page alone. */
function ownHub(account: string): MessagePort {
  const { port1, port2 } = new MessageChannel();
  new Hub(account).join(port2);
  port1.onmessage = hear;
  return port1;
}

function hear({ data }: MessageEvent<Said>): void {
  sources.get(data.path)?.hear(data);
}

function wantAll(): void {
  for (const source of sources.values()) if (source.isWanted) source.wantAgain();
}
