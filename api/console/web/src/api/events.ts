/** Streams of the service: what happens is told to whoever asked, in order, over cuts of the connection. */

import { signal } from "@preact/signals";

export type Connection = "none" | "opening" | "live" | "lost";

/** One thing that a stream told. */
export interface Told {
  /** Kind of the event, as the AsyncAPI document names it. */
  kind: string;
  data: unknown;
}

/** One stream, shared by all who listen; it is open while somebody does. */
export class Stream {
  /** How it stands. */
  readonly connection = signal<Connection>("none");
  readonly #path: string;
  readonly #kinds: readonly string[];
  readonly #listeners = new Set<(told: Told) => void>();
  readonly #back = new Set<() => void>();
  #source: EventSource | null = null;
  #cut = false;

  /**
   * @param path of the stream
   * @param kinds names of the events in it; EventSource takes none that it was not told of
   */
  constructor(path: string, kinds: readonly string[]) {
    this.#path = path;
    this.#kinds = kinds;
  }

  /**
   * Listen.
   *
   * @param back is called when the stream is there again after a cut: a browser resumes where it was, but what a page
   *   shows may have been read before
   * @returns what ends it
   */
  listen(listener: (told: Told) => void, back?: () => void): () => void {
    this.#listeners.add(listener);
    if (back !== undefined) this.#back.add(back);
    this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (back !== undefined) this.#back.delete(back);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  #open(): void {
    if (this.#source !== null) return;
    this.connection.value = this.#cut ? "lost" : "opening";
    const source = new EventSource(this.#path);
    this.#source = source;
    source.onopen = () => {
      this.connection.value = "live";
      if (this.#cut) for (const act of [...this.#back]) act();
      this.#cut = false;
    };
    source.onerror = () => {
      this.#cut = true;
      this.connection.value = "lost";
      if (source.readyState === EventSource.CLOSED) this.#again(source);
    };
    for (const kind of this.#kinds) {
      source.addEventListener(kind, (event: MessageEvent<string>) => this.#tell(kind, event.data));
    }
  }

  #tell(kind: string, text: string): void {
    const told: Told = { kind, data: JSON.parse(text) as unknown };
    for (const listener of [...this.#listeners]) listener(told);
  }

  /** A browser gives up for good on an answer that is no stream, as a proxy sends for a service that restarts. */
  #again(source: EventSource): void {
    if (this.#source !== source) return;
    this.#source = null;
    setTimeout(() => {
      if (this.#listeners.size > 0) this.#open();
    }, 2000);
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#cut = false;
    this.connection.value = "none";
  }
}
