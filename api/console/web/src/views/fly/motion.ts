/** Where a vehicle is drawn between two states: it glides to the newest, and never ahead of what was heard. */

import type { Position } from "geojson";

/** A jump of more than this many degrees is no flight: it is drawn at once. */
const JUMP = 0.05;

interface Glide {
  from: Position;
  to: Position;
  began: number;
  lasts: number;
}

export class Motion {
  readonly #glides = new Map<string, Glide>();

  /**
   * It is said to be there.
   *
   * @param now milliseconds of any clock that does not jump
   * @param lasts how long the way there takes on the screen; 0 is at once
   */
  head(id: string, to: Position, now: number, lasts: number): void {
    const from = this.place(id, now);
    const far = from === null || Math.hypot((from[0] ?? 0) - (to[0] ?? 0), (from[1] ?? 0) - (to[1] ?? 0)) > JUMP;
    this.#glides.set(id, { from: far ? to : from, to, began: now, lasts: far ? 0 : lasts });
  }

  /** Where it is drawn at that time; null for one that was never heard of. */
  place(id: string, now: number): Position | null {
    const glide = this.#glides.get(id);
    if (glide === undefined) return null;
    const share = glide.lasts <= 0 ? 1 : Math.min(1, (now - glide.began) / glide.lasts);
    const [x0 = 0, y0 = 0] = glide.from;
    const [x1 = 0, y1 = 0] = glide.to;
    return share >= 1 ? glide.to : [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share];
  }

  /** Whether anything that was drawn at that time was drawn short of where it is said to be: it is to be drawn again. */
  isShort(drawn: number): boolean {
    for (const glide of this.#glides.values()) if (drawn < glide.began + glide.lasts) return true;
    return false;
  }

  forget(id: string): void {
    this.#glides.delete(id);
  }
}
