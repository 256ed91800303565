/** Things that take long to get. Those used last stay at hand, and so does the one in use, whatever else is asked for. */

/** Something that is here or on its way; `stop` ends the way. */
export interface Kept<T> {
  thing: Promise<T>;
  stop: AbortController;
}

export class Shelf<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #room: number;
  readonly #drop: (thing: T) => void;
  #held: string | null = null;

  /**
   * @param room how many are kept
   * @param drop is told of each that had come and is kept no more
   */
  constructor(room: number, drop: (thing: T) => void) {
    this.#room = room;
    this.#drop = drop;
  }

  /** What is kept by that key, or else is made now; what fails is not kept. */
  get(key: string, make: () => Kept<T>): Promise<T> {
    const kept = this.take(key) ?? make();
    this.#kept.set(key, kept); // used last
    kept.thing.catch(() => this.#kept.get(key) === kept && this.#kept.delete(key));
    this.#tidy();
    return kept.thing;
  }

  /** What is kept by that key, as it lies. */
  peek(key: string): Promise<T> | undefined {
    return this.#kept.get(key)?.thing;
  }

  /** Take something away without its being dropped. */
  take(key: string): Kept<T> | undefined {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept;
  }

  /** Never drop what has that key, in place of the one before. */
  hold(key: string): void {
    this.#held = key;
  }

  #tidy(): void {
    const loose = [...this.#kept].filter(([key]) => key !== this.#held);
    for (const [key, { thing, stop }] of loose.slice(0, Math.max(0, this.#kept.size - this.#room))) {
      this.#kept.delete(key);
      stop.abort();
      thing.then(this.#drop).catch(() => undefined);
    }
  }
}
