import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { me } from "../app/session";

interface Props {
  title: string;
  /** Something is being done that cannot be left: it stays open. */
  busy?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/**
 * A modal dialog of the browser: it keeps the focus, Escape closes it, and the focus goes back to where it was.
 *
 * Nothing outside a modal dialog can be reached: it is put away while nobody is logged in, and is there again, with all
 * that was written in it, for whoever logs in again.
 */
export function Dialog({ title, busy = false, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const away = me.value === null;
  useEffect(() => {
    if (away) dialog.current?.close();
    else show(dialog.current);
  }, [away]);
  useLayoutEffect(() => {
    const before = document.activeElement;
    return () => queueMicrotask(() => giveBack(before)); // once it is gone: what lies below one cannot be reached
  }, []);
  // Not after the next picture: a key may come before it.
  useLayoutEffect(() => {
    if (!busy) return;
    document.addEventListener("keydown", stay, true);
    return () => document.removeEventListener("keydown", stay, true);
  }, [busy]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) onClose();
      }}
      onClose={(event) => {
        // A browser may close it unasked: it lets nobody forbid a second request without a key.
        const closed = event.currentTarget;
        if (closed.open || me.peek() === null) return;
        if (busy) show(closed);
        else onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

/** To what had it before; where that has gone meanwhile, to the view, so that the key Tab does not begin at the top. */
function giveBack(before: Element | null): void {
  if (document.activeElement !== document.body || !(before instanceof HTMLElement) || before === document.body) return;
  before.focus();
  if (document.activeElement === document.body) document.querySelector<HTMLElement>(".view")?.focus();
}

/** Else a second Escape would close it, and a third, before it is there again, would be one for the view below. */
function stay(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}

function show(dialog: HTMLDialogElement | null): void {
  if (dialog?.open === false) dialog.showModal();
}
