/** What happens elsewhere and changes what is shown here. */

import { useEffect, useRef } from "preact/hooks";
import { Stream } from "../../api/events";
import { may } from "../../app/session";

const stream = new Stream("/events/stream", [
  "agreement.created",
  "agreement.ended",
  "crossing.reviewed",
  "partner.created",
  "partner.ended",
  "recall.received",
  "release.created",
  "release.recalled",
  "subscription.created",
  "subscription.ended",
]);

/** Listen as long as the component is there: `act` is called for such events, and after a cut. Not for who may not. */
export function useTold(kinds: readonly string[], act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  const wanted = kinds.join(" ");
  useEffect(() => {
    if (!may("event.read")) return;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    // Many may come at once, as when an agreement ends: they are one change.
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => latest.current(), 150);
    };
    const end = stream.listen((told) => {
      if (wanted.split(" ").includes(told.kind)) soon();
    }, soon);
    return () => {
      clearTimeout(waiting);
      end();
    };
  }, [wanted]);
}
