import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import { Dialog } from "./Dialog";
import { TextField } from "./fields";

interface Props {
  title: string;
  /** What the button says that does it. */
  act: string;
  /** It cannot be undone. */
  danger?: boolean;
  /** A word to be typed before it is done. */
  typed?: string;
  onClose: () => void;
  /** Whether it went well: the dialog stays open, with all that was written, when not. */
  onConfirm: () => Promise<boolean>;
  children: ComponentChildren;
}

/** Ask before something is done that matters, with its consequences said. */
export function Confirm({ title, act, danger = false, typed, onClose, onConfirm, children }: Props) {
  const busy = useSignal(false);
  const word = useSignal("");
  const ready = typed === undefined || word.value.trim() === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={async (event) => {
          event.preventDefault();
          busy.value = true;
          if (await onConfirm()) onClose();
          busy.value = false;
        }}
      >
        {children}
        {typed !== undefined && <TextField label={t("app.type_to_confirm", { word: typed })} value={word} required />}
        <div class="row">
          <button type="submit" class={danger ? "danger" : "primary"} disabled={busy.value || !ready}>
            {act}
          </button>
          <button type="button" onClick={onClose}>
            {t("app.cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
