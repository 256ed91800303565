import { type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../i18n";
import { Asking } from "./Asking";
import { Dialog } from "./Dialog";
import { Time } from "./Time";
import "./oneTime.css";

export interface Secret {
  /** Whose it is. */
  name: string;
  secret: string;
  expires: string | null;
}

/** A secret, shown this once: it is kept nowhere, not in this page either once it is closed. */
export function OneTime({ secret }: { secret: Signal<Secret | null> }) {
  return <Asking about={secret}>{(shown, close) => <Shown shown={shown} onClose={close} />}</Asking>;
}

function Shown({ shown, onClose }: { shown: Secret; onClose: () => void }) {
  const output = useRef<HTMLOutputElement>(null);
  const copied = useSignal(false);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(shown.secret);
      copied.value = true;
    } catch {
      // No clipboard without TLS: the text is marked, to be copied by hand.
      if (output.current !== null) getSelection()?.selectAllChildren(output.current);
    }
  }

  return (
    <Dialog title={t("account.secret_of", { name: shown.name })} onClose={onClose}>
      <div class="stack">
        <p>{t("account.shown_once")}</p>
        <output ref={output} class="one-time" aria-label={t("account.secret")}>
          {shown.secret}
        </output>
        {shown.expires !== null && (
          <p>
            {t("account.use_before")} <Time at={shown.expires} />
          </p>
        )}
        <div class="row">
          <button type="button" class="primary" onClick={copy}>
            {t("account.copy")}
          </button>
          <button type="button" onClick={onClose}>
            {t("account.noted")}
          </button>
          <span role="status">{copied.value && t("account.copied")}</span>
        </div>
      </div>
    </Dialog>
  );
}
