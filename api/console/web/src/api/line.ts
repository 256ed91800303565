/**
 * One connection to one stream of the service, kept up over cuts and over silence.
 *
 * It is read with `fetch`, since an `EventSource` shows neither the comments that tell that the service is there, nor why
 * it was refused, nor whose the stream is.
 */

import { isRefusal } from "./problem";
import { Reader, type Told } from "./sse";

/** `refused`: not for whoever is logged in now; it is asked for again when somebody says so. */
export type Standing = "opening" | "live" | "silent" | "lost" | "refused";

/** How a line stands. */
export interface State {
  standing: Standing;
  /** When anything came last; milliseconds since the Unix epoch, null for never. */
  heard: number | null;
}

/** Who follows a line. */
export interface Follower {
  /** Events that came together, in order. */
  told: (events: readonly Told[]) => void;
  stands: (state: State) => void;
}

/** How long after a stream was given up it is asked for again. */
const AGAIN_MS = 2000;
/** A request that is not answered for so long is lost. */
const ANSWER_MS = 10_000;
/** The longest silence that a service promises which says nothing of it. */
const HEARTBEAT_S = 15;
/** So many signs of life may be missed, and one be so late, before a line is silent. */
const BEATS = 2;
const LATE_MS = 1000;

/** How a connection ended. */
type End = "announced" | "cut" | "silent" | "refused" | "closed";

export class Line {
  readonly #path: string;
  readonly #account: string;
  readonly #follower: Follower;
  #state: State = { standing: "opening", heard: null };
  #aborter = new AbortController();
  #closed = false;
  #last = "";
  #wake: () => void = () => undefined;

  /**
   * Open it.
   *
   * @param path of the stream
   * @param account whose it has to be: the cookie that is sent is of whoever logged in last, in whichever page
   */
  constructor(path: string, account: string, follower: Follower) {
    this.#path = path;
    this.#account = account;
    this.#follower = follower;
    void this.#keep();
  }

  get state(): State {
    return this.#state;
  }

  /** Whoever it was refused to may be let in now. */
  again(): void {
    if (this.#state.standing === "refused") this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#aborter.abort();
    this.#wake();
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      const end = await this.#once();
      if (end === "closed" || this.#closed) return;
      if (end === "refused") {
        this.#stand("refused");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (end === "announced") this.#stand("opening");
      else this.#stand(end === "silent" && this.#state.heard !== null ? "silent" : "lost");
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One connection, from its request to its end. */
  async #once(): Promise<End> {
    this.#aborter = new AbortController();
    let isSilent = false;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const expect = (ms: number) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        isSilent = true;
        this.#aborter.abort();
      }, ms);
    };
    try {
      expect(ANSWER_MS);
      const answer = await fetch(this.#path, {
        headers: { Accept: "text/event-stream", ...(this.#last === "" ? {} : { "Last-Event-ID": this.#last }) },
        cache: "no-store",
        signal: this.#aborter.signal,
      });
      const refusal = this.#refusal(answer);
      if (refusal !== null || answer.body === null) {
        this.#aborter.abort();
        return refusal ?? "cut";
      }
      const beatS = Number(answer.headers.get("X-Vedette-Heartbeat")) || HEARTBEAT_S;
      return await this.#read(answer.body, () => expect(BEATS * beatS * 1000 + LATE_MS));
    } catch {
      return this.#closed ? "closed" : isSilent ? "silent" : "cut";
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Why an answer is no stream of this line; null where it is one. */
  #refusal(answer: Response): End | null {
    if ((answer.status === 401 || answer.status === 403) && isRefusal(answer)) return "refused";
    if (answer.status === 422) this.#last = ""; // of a service that was put back to an older day: from now on, then
    if (!answer.ok || !(answer.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) return "cut";
    return answer.headers.get("X-Vedette-Account") === this.#account ? null : "refused";
  }

  async #read(body: ReadableStream<Uint8Array>, alive: () => void): Promise<End> {
    const reader = new Reader(this.#last);
    const decoder = new TextDecoder();
    const pieces = body.getReader();
    this.#state = { standing: this.#state.standing, heard: Date.now() };
    this.#stand("live");
    let end: End = "cut";
    for (;;) {
      alive();
      const { value, done } = await pieces.read();
      if (done) return end;
      this.#state = { standing: "live", heard: Date.now() };
      const events = reader.read(decoder.decode(value, { stream: true }));
      this.#last = reader.last;
      const bye = events.find(({ kind }) => kind === "bye");
      if (bye !== undefined) end = endOf(bye);
      const told = events.filter((each) => each !== bye);
      if (told.length > 0) this.#follower.told(told);
    }
  }

  #stand(standing: Standing): void {
    if (this.#closed) return;
    this.#state = { standing, heard: this.#state.heard };
    this.#follower.stands(this.#state);
  }
}

/** The service ends a stream for a reason: it may be asked for again, or its reader may not read it any more. */
function endOf({ data }: Told): End {
  const { reason } = JSON.parse(data) as { reason?: string };
  return reason === "revoked" ? "refused" : "announced";
}
