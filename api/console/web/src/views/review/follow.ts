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

const stream = new Stream("/events/stream", KINDS);
export const { connection, heard } = stream;

/** Follow what happens until the returned function is called. */
export function follow(): () => void {
  if (!may("event.read")) return () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  let off: () => void = () => undefined;
  /** What is open was not read again: nobody was there. */
  let missed = false;

  const readLists = () => {
    if (timer !== undefined) return;
    const pause = Math.max(SETTLE, last + OFTEN - Date.now());
    timer = setTimeout(() => {
      off = whenBack(() => {
        timer = undefined;
        last = Date.now();
        load().catch(report);
        if (missed) readOpen();
      });
    }, pause);
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
    clearTimeout(timer);
    opened();
    off();
    removeEventListener("online", online);
    stop();
  };
}
