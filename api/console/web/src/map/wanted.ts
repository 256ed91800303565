/** A place that the reader wants to see: every map that is open goes there. */

import { signal } from "@preact/signals";
import type { LatLonPlace } from "../ui/coordinates";

/** A new object for each wish, so that the same place can be wanted again. */
export const wanted = signal<LatLonPlace | null>(null);
