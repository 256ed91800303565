import { useEffect, useState } from "preact/hooks";
import { previewOf } from "./evidence";
import type { Item } from "./worklist";

/** The clip of the row under the pointer, played small beside the list. */
export function Preview({ item: { crossing }, top }: { item: Item; top: number }) {
  const [clip, setClip] = useState<string | null>(null);
  useEffect(() => {
    let left = false;
    setClip(null);
    // What cannot be previewed is told when it is opened.
    previewOf(crossing)
      .then((found) => !left && setClip(found.clip))
      .catch(() => undefined);
    return () => {
      left = true;
    };
  }, [crossing.id]);
  if (clip === null) return null;
  return (
    <video
      class="preview"
      style={{ top: `${Math.min(top, innerHeight - 260)}px` }}
      src={clip}
      muted
      loop
      autoPlay
      playsInline
      aria-hidden="true"
      tabIndex={-1}
    />
  );
}
