/** Server-Sent Events as they lie on the wire, read a piece at a time (WHATWG HTML, 9.2). */

/** One event of a stream. */
export interface Told {
  /** Kind of the event, as the AsyncAPI document names it. */
  kind: string;
  /** What it says, as it came. */
  data: string;
}

const LINE = /\r\n|\n|\r/;

/** Makes events of text that comes in pieces of any size. What is a comment is a sign of life and nothing more. */
export class Reader {
  #last: string;
  #rest = "";
  #id: string;
  #kind = "";
  #data: string[] = [];

  /** @param last where an earlier connection was */
  constructor(last = "") {
    this.#last = this.#id = last;
  }

  /** The number of the last event that is whole, where the stream counts them: with it one resumes. */
  get last(): string {
    return this.#last;
  }

  /** The events that are whole with this piece. */
  read(piece: string): Told[] {
    const lines = (this.#rest + piece).split(LINE);
    // A carriage return at the very end may be half of the end of a line.
    const half = piece.endsWith("\r") ? "\r" : "";
    if (half !== "") lines.pop();
    this.#rest = (lines.pop() ?? "") + half;
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): Told[] {
    if (line === "") return this.#whole();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#kind = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    return [];
  }

  #whole(): Told[] {
    const told = { kind: this.#kind || "message", data: this.#data.join("\n") };
    const is = this.#data.length > 0;
    this.#last = this.#id;
    this.#kind = "";
    this.#data = [];
    return is ? [told] : [];
  }
}
