/** Streams of the service: what happens is told to whoever asked, in order, over cuts of the connection. */

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { admitted, ask } from "./client";
import { Problem } from "./problem";

export type Connection = "none" | "opening" | "live" | "lost";

/** One thing that a stream told. */
export interface Told {
  /** Kind of the event, as the AsyncAPI document names it. */
  kind: string;
  data: unknown;
}

/** How long after a stream was given up it is asked for again. */
const AGAIN_MS = 2000;
/** A request that is not answered for so long is lost. */
const ANSWER_MS = 10_000;

/** What one part of the page wants of a stream. All parts share one connection to each: a browser has few. */
export class Stream {
  readonly #source: Source;
  readonly #kinds: readonly string[];

  /**
   * @param path of the stream
   * @param kinds names of the events in it; EventSource takes none that it was not told of
   */
  constructor(path: string, kinds: readonly string[]) {
    this.#source = sources.get(path) ?? new Source(path);
    sources.set(path, this.#source);
    this.#kinds = kinds;
  }

  /** How it stands. */
  get connection(): ReadonlySignal<Connection> {
    return this.#source.connection;
  }

  /**
   * Listen.
   *
   * @param back is called when the stream is there again after a cut: a browser resumes where it was, but what a page
   *   shows may have been read before
   * @returns what ends it
   */
  listen(listener: (told: Told) => void, back: () => void = () => undefined): () => void {
    return this.#source.join({ kinds: new Set(this.#kinds), listener, back });
  }
}

interface Seat {
  kinds: ReadonlySet<string>;
  listener: (told: Told) => void;
  back: () => void;
}

const sources = new Map<string, Source>();

/** One connection; it is open while somebody listens. */
class Source {
  readonly connection = signal<Connection>("none");
  readonly #path: string;
  readonly #seats = new Set<Seat>();
  readonly #kinds = new Set<string>();
  #source: EventSource | null = null;
  #cut = false;
  /** The service has said that it ends the stream, and that it may be asked for again. */
  #announced = false;
  /** Of the last event, where the stream counts them. */
  #last = "";
  #wait: () => void = () => undefined;

  constructor(path: string) {
    this.#path = path;
  }

  join(seat: Seat): () => void {
    this.#seats.add(seat);
    if (this.connection.peek() === "none") this.#open();
    for (const kind of seat.kinds) this.#hear(kind);
    return () => {
      this.#seats.delete(seat);
      if (this.#seats.size === 0) this.#close();
    };
  }

  #open(): void {
    this.connection.value = this.#cut ? "lost" : "opening";
    // Another EventSource knows nothing of where the one before it was.
    const source = new EventSource(this.#last === "" ? this.#path : `${this.#path}?after=${this.#last}`);
    this.#last = ""; // of a service that was put back to an older day it is refused: once is enough
    this.#source = source;
    this.#kinds.clear();
    source.onopen = () => {
      this.connection.value = "live";
      this.#announced = false;
      if (this.#cut) for (const { back } of [...this.#seats]) back();
      this.#cut = false;
    };
    source.onerror = () => {
      this.#cut = true;
      this.connection.value = this.#announced ? "opening" : "lost";
      this.#announced = false;
      if (source.readyState === EventSource.CLOSED) void this.#again();
    };
    source.addEventListener("bye", (event: MessageEvent<string>) => this.#bye(event.data));
    for (const { kinds } of this.#seats) for (const kind of kinds) this.#hear(kind);
  }

  #hear(kind: string): void {
    if (this.#source === null || this.#kinds.has(kind)) return;
    this.#kinds.add(kind);
    this.#source.addEventListener(kind, (event: MessageEvent<string>) => {
      this.#last = event.lastEventId;
      const told: Told = { kind, data: JSON.parse(event.data) as unknown };
      for (const seat of [...this.#seats]) if (seat.kinds.has(kind)) seat.listener(told);
    });
  }

  /** The service ends the stream. A browser comes back by itself, with where it was; not where it may not. */
  #bye(text: string): void {
    const { reason } = JSON.parse(text) as { reason?: string };
    if (reason !== "revoked") {
      this.#announced = true;
      return;
    }
    this.#cut = true;
    this.connection.value = "lost";
    void this.#again();
  }

  /**
   * A browser gives up for good on an answer that is no stream: a proxy sends one for a service that restarts, and the
   * service itself for a session that has ended. Which of them it was, an ordinary request tells; what has ended is not
   * begun anew by it, and an open stream is no use of a session, so that one that idles ends though its page watches.
   */
  async #again(): Promise<void> {
    this.#source?.close();
    this.#source = null;
    const over = await ask("/me", { signal: AbortSignal.timeout(ANSWER_MS) }).then(
      () => false,
      (error: unknown) => error instanceof Problem && error.status === 401,
    );
    if (this.#seats.size === 0 || this.#source !== null) return;
    this.#wait();
    const open = () => {
      this.#wait();
      if (this.#seats.size > 0) this.#open();
    };
    if (over) {
      this.#wait = effect(() => {
        if (admitted.value) queueMicrotask(open);
      });
    } else {
      const timer = setTimeout(open, AGAIN_MS);
      this.#wait = () => clearTimeout(timer);
    }
  }

  #close(): void {
    this.#wait();
    this.#source?.close();
    this.#source = null;
    this.#cut = this.#announced = false;
    this.#last = "";
    this.connection.value = "none";
  }
}
