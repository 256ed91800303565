/** That the reader has looked at a crossing: said once it has been open for a moment. */

import { service } from "../../api/client";
import { Problem } from "../../api/problem";
import type { Crossing } from "./crossing";
import { change } from "./worklist";

const LOOK = 1000;

/** Mark a crossing as looked at, unless the returned function is called before that. */
export function markSeen({ id }: Crossing): () => void {
  const timer = setTimeout(async () => {
    try {
      await service.POST("/crossings/{record_id}/seen", { params: { path: { record_id: id } } });
      change(id, (item) => ({ ...item, seen: item.seen === null ? null : true }));
    } catch (error) {
      // A mark that is lost costs a second look, and no more.
      if (!(error instanceof Problem)) throw error;
    }
  }, LOOK);
  return () => clearTimeout(timer);
}
