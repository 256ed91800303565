/**
 * Where MapLibre's worker is.
 *
 * MapLibre looks for its worker beside its own module, but in a bundle there is no such place. The worker's file is
 * complete in itself, so it is shipped as it is, under a name with its hash, and loaded as a module worker from our
 * own origin: `worker-src 'self'` is enough, and neither `blob:` nor `unsafe-eval` is needed.
 */
import { prewarm, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

/** Whether this browser lets pages have workers: MapLibre makes no tiles without. */
export const HAS_WORKERS = typeof Worker !== "undefined";

/** Start MapLibre's worker, which outlives every map. Call once, before the first map is made. */
export function wireMapWorker(): void {
  if (!HAS_WORKERS) return;
  setWorkerUrl(new URL(workerUrl, document.baseURI).href);
  prewarm();
}
