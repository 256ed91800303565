import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import { Dialog } from "./Dialog";
import { Form } from "./Form";
import { InputField } from "./fields";

interface Props {
  title: string;
  /** What the button says that does it. */
  act: string;
  /** It cannot be undone. */
  danger?: boolean;
  /** A word to be typed before it is done. */
  typed?: string;
  onClose: () => void;
  /** Throws what refuses it: the dialog then says so, and stays open with all that was written. */
  onConfirm: () => Promise<unknown>;
  children: ComponentChildren;
}

/** Ask before something is done that matters, with its consequences said. What is being done cannot be left. */
export function Confirm({ title, act, danger = false, typed, onClose, onConfirm, children }: Props) {
  const busy = useSignal(false);
  const word = useSignal("");
  return (
    <Dialog title={title} busy={busy.value} onClose={onClose}>
      <Form
        class="stack"
        button={act}
        look={danger ? "danger" : "primary"}
        ready={typed === undefined || word.value.trim() === typed}
        busy={busy}
        act={async () => {
          await onConfirm();
          onClose();
        }}
        beside={
          <button type="button" disabled={busy.value} onClick={onClose}>
            {t("app.cancel")}
          </button>
        }
      >
        {children}
        {typed !== undefined && <InputField label={t("app.type_to_confirm", { word: typed })} value={word} required />}
      </Form>
    </Dialog>
  );
}
