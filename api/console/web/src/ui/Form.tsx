import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { reasonsOf } from "./failure";

/**
 * What is done when a form is submitted, once at a time: a submit while it is being done counts for nothing, so that a
 * double click does nothing twice. What refuses it is told in `refusal`, until the next try.
 *
 * @param act throws what refuses it
 * @param busy tells others that it is being done
 */
export function useSubmit(act: () => Promise<unknown>, busy: Signal<boolean>) {
  const refusal = useSignal<readonly string[]>([]);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy.peek()) return;
    busy.value = true;
    refusal.value = [];
    try {
      await act();
    } catch (error) {
      refusal.value = reasonsOf(error);
    } finally {
      busy.value = false;
    }
  }
  return { refusal: refusal.value, submit };
}

interface Props {
  /** What a screen reader calls it. */
  label?: string;
  class?: string;
  /** What the button says that submits it. */
  button: string;
  /** How that looks. */
  look?: "primary" | "danger";
  /** Whether it can be submitted. */
  ready?: boolean;
  /** Throws what refuses it: the form then says so, and all that was written stays. */
  act: () => Promise<unknown>;
  /** Told whether it is being done. */
  busy?: Signal<boolean>;
  /** Further buttons. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

/** A form whose button rests while what it does is being done. */
export function Form(props: Props) {
  const { label, class: layout = "row", button, look, ready = true, act, beside, children } = props;
  const own = useSignal(false);
  const busy = props.busy ?? own;
  const { refusal, submit } = useSubmit(act, busy);
  return (
    <form class={layout} aria-label={label} onSubmit={submit}>
      {children}
      <div class="row">
        <button type="submit" class={look} disabled={busy.value || !ready}>
          {button}
        </button>
        {beside}
      </div>
      <Refusal reasons={refusal} />
    </form>
  );
}

/** What speaks against something, read out as it comes. */
export function Refusal({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 0) return null;
  return (
    <div role="alert" class="refusal">
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  );
}
