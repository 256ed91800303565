/** Where the pages of one account meet: each stream is one connection, whichever and however many of them want it. */

import { Line, type State } from "./line";
import type { Told } from "./sse";

/** What a page says to the hub. */
export type Asked =
  | { act: "want" | "leave" | "again"; path: string }
  /** The page goes. */
  | { act: "gone" };

/** What the hub says to a page. */
export type Said = { path: string; state: State } | { path: string; events: readonly Told[] };

interface Shared {
  line: Line;
  ports: Set<MessagePort>;
}

export class Hub {
  readonly #account: string;
  readonly #shared = new Map<string, Shared>();

  /** @param account whose pages meet here */
  constructor(account: string) {
    this.#account = account;
  }

  /** Take in a page. */
  join(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<Asked>) => this.#hear(port, data);
    port.addEventListener("close", () => this.#gone(port)); // of a page that fell; not every browser tells
  }

  #hear(port: MessagePort, asked: Asked): void {
    if (asked.act === "gone") this.#gone(port);
    else if (asked.act === "want") this.#want(port, asked.path);
    else if (asked.act === "leave") this.#leave(port, asked.path);
    else this.#shared.get(asked.path)?.line.again();
  }

  #want(port: MessagePort, path: string): void {
    const shared = this.#shared.get(path) ?? this.#open(path);
    shared.ports.add(port);
    say(port, { path, state: shared.line.state });
  }

  #open(path: string): Shared {
    const ports = new Set<MessagePort>();
    const all = (said: Said) => {
      for (const port of ports) say(port, said);
    };
    const line = new Line(path, this.#account, {
      told: (events) => all({ path, events }),
      stands: (state) => all({ path, state }),
    });
    const shared = { line, ports };
    this.#shared.set(path, shared);
    return shared;
  }

  #leave(port: MessagePort, path: string): void {
    const shared = this.#shared.get(path);
    shared?.ports.delete(port);
    if (shared?.ports.size !== 0) return;
    shared.line.close();
    this.#shared.delete(path);
  }

  #gone(port: MessagePort): void {
    for (const path of [...this.#shared.keys()]) this.#leave(port, path);
  }
}

function say(port: MessagePort, said: Said): void {
  port.postMessage(said);
}
