import { useEffect, useState } from "preact/hooks";
import { previewOf } from "./evidence";
import type { Item } from "./worklist";

interface Props {
  item: Item;
  top: number;
  /** The pointer is over it: it stays. */
  onStay: () => void;
  /** The pointer has left it, or Escape was pressed. */
  onLeave: () => void;
}

/**
 * The clip of the row under the pointer, played small beside the list. It covers what lies there: it goes by Escape, and
 * stays for a pointer that goes on to it (WCAG 1.4.13).
 */
export function Preview({ item: { crossing }, top, onStay, onLeave }: Props) {
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
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.key === "Escape") onLeave();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, [onLeave]);
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
      onPointerEnter={onStay}
      onPointerLeave={onLeave}
    />
  );
}
