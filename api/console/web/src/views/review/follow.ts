/** What others do is shown as it happens. */

import { Stream, type Told } from "../../api/events";
import { members, text } from "../../api/feature";
import { may } from "../../app/session";
import { away, whenBack } from "../../ui/attention";
import { report } from "../../ui/failure";
import { chosen, outbox } from "./desk";
import { forgetAhead, open, readAgain } from "./details";
import { change, load } from "./worklist";

const KINDS = [
  "record.created",
  "record.replaced",
  "record.erased",
  "evidence.stored",
  "evidence.redacted",
  "crossing.reviewed",
  "crossing.claimed",
  "crossing.unclaimed",
  "crossing.annotated",
  "crossing.merged",
  "crossing.split",
  "release.created",
  "release.recalled",
] as const;

/** Much may happen at once; the list is read again so often at most, milliseconds. */
const SETTLE = 400;
const OFTEN = 2000;
/** So many times as long as it took lies between two readings of it: a slow line is there for verdicts and clips too. */
const SPARING = 4;
/** A reading that takes longer is not waited for. */
const PATIENCE = 60_000;

const stream = new Stream("/events/stream", KINDS);
export const { connection, heard } = stream;

/** Follow what happens until the returned function is called. */
export function follow(): () => void {
  if (!may("event.read")) return () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  let took = 0;
  let off: () => void = () => undefined;
  /** What is open was not read again: nobody was there. */
  let missed = false;

  let reading = false;
  /** Something has happened since the reading that is under way began. */
  let again = false;
  let over = false;
  const readLists = () => {
    again = true;
    if (reading || timer !== undefined) return;
    const pause = Math.max(SETTLE, last + Math.max(OFTEN, SPARING * took) - performance.now());
    timer = setTimeout(() => {
      off = whenBack(() => void readNow());
    }, pause);
  };
  /** What happens meanwhile is read after it, and not beside it: else a slow line would bring none to its end. */
  const readNow = async () => {
    const began = performance.now();
    timer = undefined;
    [reading, again] = [true, false];
    if (missed) readOpen();
    await Promise.race([load().catch(report), new Promise((go) => setTimeout(go, PATIENCE))]);
    last = performance.now();
    took = last - began;
    reading = false;
    if (again && !over) readLists();
  };
  const readOpen = () => {
    missed = away.peek();
    if (!missed) readAgain().catch(report);
  };

  const heard = ({ kind, data }: Told) => {
    const told = members(data);
    const id = text(told.record_id);
    if (id === null || (told.record_type !== "crossing" && told.record_type != null)) return;
    forgetAhead(id);
    if (kind === "crossing.unclaimed") change(id, (item) => ({ ...item, claim: null }));
    if (kind !== "crossing.annotated") readLists();
    const going =
      outbox
        .peek()
        ?.waiting.peek()
        .some((each) => each.record_id === id) ?? false;
    const mine = kind === "crossing.claimed" || kind === "crossing.unclaimed";
    if (open.peek() === id && chosen.peek() === id && !going && !mine) readOpen();
  };

  const back = () => {
    void outbox.peek()?.flush();
    readLists();
    readOpen();
  };
  const online = () => void outbox.peek()?.flush();
  addEventListener("online", online);
  let opening = connection.peek() !== "live";
  const stop = stream.listen(heard, back);
  // The list may have been read before the stream was there: what came between was told to nobody.
  const opened = connection.subscribe((standing) => {
    if (!opening || standing !== "live") return;
    opening = false;
    readLists();
    readOpen();
  });
  return () => {
    over = true;
    clearTimeout(timer);
    opened();
    off();
    removeEventListener("online", online);
    stop();
  };
}
