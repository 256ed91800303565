import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { Dialog } from "../../ui/Dialog";
import { attempt } from "../../ui/failure";
import { CaseDialog } from "./CaseDialog";
import { takeOver } from "./claims";
import { type Asking, type AskingAbout, asking, judge, shut } from "./desk";
import { MergeDialog } from "./MergeDialog";
import { CATEGORIES, type Category } from "./outbox";
import { UndoDialog } from "./UndoDialog";
import { named } from "./words";

/** The dialog that is open, if one is. */
export function Asked() {
  const asked = asking.value;
  switch (asked?.what) {
    case "dismiss":
      return <DismissDialog asked={asked} />;
    case "merge":
      return <MergeDialog asked={asked} />;
    case "case":
      return <CaseDialog asked={asked} />;
    case "undo":
      return <UndoDialog asked={asked} deed={asked.deed} />;
    case "take-over":
      return <TakeOverDialog asked={asked} />;
    case undefined:
      return null;
  }
}

/** Why it is none; a digit chooses, Enter dismisses. */
function DismissDialog({ asked }: { asked: AskingAbout }) {
  const [category, setCategory] = useState<Category | null>(null);
  const [reason, setReason] = useState("");
  const said = reason.trim();
  const enough = said !== "" || (category !== null && category !== "other");
  function dismiss(): void {
    shut(asked);
    judge(asked.about, { verdict: "dismiss", reason: said === "" ? null : said, category });
  }
  return (
    <Form
      asked={asked}
      title={t("review.dismiss_title")}
      action={t("review.dismiss")}
      ready={enough}
      onSubmit={dismiss}
    >
      <Numbered
        label={t("review.what_it_is")}
        choices={CATEGORIES.map((each) => ({ value: each, label: named(each) }))}
        value={category}
        onChoose={setCategory}
      />
      <Reason label={t("review.in_words")} value={reason} onInput={setReason} />
    </Form>
  );
}

function TakeOverDialog({ asked }: { asked: AskingAbout }) {
  const [reason, setReason] = useState("");
  const { id } = asked.about.crossing;
  return (
    <Form
      asked={asked}
      title={t("review.take_over")}
      action={t("review.take_over")}
      ready={reason.trim() !== ""}
      onSubmit={async () => {
        if (await attempt(() => takeOver(id, reason.trim()))) shut(asked);
      }}
    >
      <p>{t("review.take_over_told")}</p>
      <Reason label={t("review.reason")} value={reason} onInput={setReason} />
    </Form>
  );
}

interface FormProps {
  asked: Asking;
  title: string;
  action: string;
  ready: boolean;
  onSubmit: () => unknown;
  children: ComponentChildren;
}

/** A dialog that asks; Enter does it, Escape leaves it. */
export function Form({ asked, title, action, ready, onSubmit, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const close = () => shut(asked);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    try {
      await onSubmit();
    } finally {
      setBusy(false);
    }
  }
  return (
    <Dialog title={title} onClose={close}>
      <form class="asked" onSubmit={submit}>
        {children}
        <div class="row">
          <button type="submit" class="primary" disabled={!ready || busy}>
            {action}
          </button>
          <button type="button" onClick={close}>
            {t("app.cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface NumberedProps<T extends string> {
  label: string;
  choices: readonly { value: T; label: ComponentChildren }[];
  value: T | null;
  onChoose: (value: T) => void;
}

/** One of a few, by the mouse, the arrows, or its digit. */
export function Numbered<T extends string>({ label, choices, value, onChoose }: NumberedProps<T>) {
  function digit(event: KeyboardEvent): void {
    const chosen = choices[Number(event.key) - 1];
    if (chosen === undefined || !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    onChoose(chosen.value);
  }
  return (
    <fieldset class="numbered" onKeyDown={digit}>
      <legend>{label}</legend>
      {choices.map((each, place) => (
        <label key={each.value} class="inline">
          <input type="radio" name={label} checked={value === each.value} onChange={() => onChoose(each.value)} />
          {place < 9 && <kbd>{place + 1}</kbd>}
          <span>{each.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface ReasonProps {
  label: string;
  value: string;
  readOnly?: boolean;
  onInput: (value: string) => void;
}

/** Why, in words of one's own. */
export function Reason({ label, value, readOnly = false, onInput }: ReasonProps) {
  return (
    <label>
      {label}
      <input
        type="text"
        maxLength={1000}
        value={value}
        readOnly={readOnly}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}
