import { counts } from "./keys";

/** The key of what it stands in, while it counts. */
export function Shortcut({ of, named = of }: { of: string; named?: string }) {
  return counts(of) ? <kbd>{named}</kbd> : null;
}
