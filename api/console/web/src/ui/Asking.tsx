import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Props<T> {
  /** What is asked about; null while nothing is. */
  about: Signal<T | null>;
  /** The dialog; `close` ends the question, unless another has taken its place. */
  children: (about: T, close: () => void) => ComponentChildren;
}

/** A dialog that is there while something is asked about. */
export function Asking<T>({ about, children }: Props<T>) {
  const asked = about.value;
  if (asked === null) return null;
  return (
    <>
      {children(asked, () => {
        if (about.peek() === asked) about.value = null;
      })}
    </>
  );
}
