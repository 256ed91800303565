import { useRef } from "preact/hooks";
import { may, me } from "../../app/session";
import { t } from "../../i18n";
import { attempt } from "../../ui/failure";
import { useKeys } from "../../ui/keys";
import { Shortcut } from "../../ui/Shortcut";
import { Time } from "../../ui/Time";
import { type Details, readAgain } from "./details";
import { draftOf, isGoing, keepDraft, sendDraft } from "./drafts";
import { named } from "./words";

/** What was said of a crossing, oldest first, the cases that it is in, and a note of one's own. */
export function History({ known }: { known: Details }) {
  const lines = [
    ...known.reviews.map((each) => ({
      key: `v${each.time}${each.reviewer_key}`,
      time: each.time,
      by: each.reviewer,
      text: [named(each.verdict), each.category === null ? "" : named(each.category), each.reason ?? ""],
    })),
    ...known.notes.map((each) => ({ key: each.id, time: each.time, by: each.author, text: [each.text] })),
  ].sort((a, b) => a.time.localeCompare(b.time));
  return (
    <section class="history" aria-label={t("review.history")}>
      {known.cases.length > 0 && (
        <p class="cases">
          {t("review.in_cases")} {known.cases.map((each) => each.title).join(", ")}
        </p>
      )}
      <ul aria-label={t("review.history")}>
        {lines.map((line) => (
          <li key={line.key}>
            <Time at={line.time} /> <strong>{line.by}</strong> {line.text.filter((part) => part !== "").join(" · ")}
          </li>
        ))}
      </ul>
      {may("annotate") && <NoteForm key={known.crossing.id} id={known.crossing.id} />}
    </section>
  );
}

function NoteForm({ id }: { id: string }) {
  const person = me.value?.account_id ?? "";
  const author = me.value?.name ?? "";
  const text = draftOf(person, id);
  const busy = isGoing(person, id);
  const field = useRef<HTMLTextAreaElement>(null);
  useKeys([{ key: "n", word: "review.key_note", act: () => field.current?.focus() }]);
  async function submit(): Promise<void> {
    await attempt(async () => {
      if (!(await sendDraft(person, author, id))) return;
      field.current?.blur();
      await readAgain();
    });
  }

  return (
    <form
      class="note"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label>
        <span>
          {t("review.note")} <Shortcut of="n" />
        </span>
        <textarea
          ref={field}
          rows={2}
          maxLength={4000}
          value={text}
          readOnly={busy}
          onInput={(event) => keepDraft(person, id, event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
          }}
        />
      </label>
      <button type="submit" disabled={busy || text.trim() === ""} title="Ctrl+Enter">
        {t("review.add_note")}
      </button>
    </form>
  );
}
