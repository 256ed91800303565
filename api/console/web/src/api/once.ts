/** What the service takes once under a name of the caller's, however often it is sent. */

import { Problem } from "./problem";

/** How long a request that gives something may go unanswered. */
export const ANSWER_MS = 10_000;

/** Calls such a request off when its time is over. */
export const late = (): AbortSignal => AbortSignal.timeout(ANSWER_MS);

/** Names of what was sent and had no answer: sent again, it is the same still. */
export class Once {
  readonly #unanswered = new Map<string, { name: string; until: number }>();

  /** The name of a wish: a fresh one, or while it may still count the one it was sent under without an answer. */
  nameOf(wish: string): string {
    return this.#open(wish) ?? freshName();
  }

  /** Whether it was sent, had no answer, and may still count. */
  isOpen(wish: string): boolean {
    return this.#open(wish) !== null;
  }

  /** The name that it was sent under last without an answer, whether it may still count or has been heard of. */
  sentAs(wish: string): string | null {
    return this.#unanswered.get(wish)?.name ?? null;
  }

  /**
   * Send a wish under its name.
   *
   * @param countsS for how long it counts at the service that nobody takes
   * @throws {Problem} when the service refuses or cannot be reached: only a refusal says that there is no such thing
   */
  async send<T>(wish: string, name: string, countsS: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#unanswered.set(wish, { name, until: Date.now() + countsS * 1000 + ANSWER_MS });
    try {
      const answer = await work(late());
      this.#unanswered.delete(wish);
      return answer;
    } catch (error) {
      if (error instanceof Problem && !error.passing) this.#unanswered.delete(wish);
      throw error;
    }
  }

  /** What was sent under that name has ended, as has been heard otherwise: the same wish is another from now on. */
  heard(name: string): void {
    for (const begun of this.#unanswered.values()) if (begun.name === name) begun.until = 0;
  }

  #open(wish: string): string | null {
    const begun = this.#unanswered.get(wish);
    return begun !== undefined && Date.now() < begun.until ? begun.name : null;
  }
}

function freshName(): string {
  // crypto.randomUUID is there on secure origins alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}
