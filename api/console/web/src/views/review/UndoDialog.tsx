import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { attempt, say } from "../../ui/failure";
import { takeOut } from "./CaseDialog";
import { type Asking, type Deed, forget, outbox, shut, split } from "./desk";
import { openCrossing, readAgain } from "./details";
import { Form, Reason } from "./dialogs";
import { named } from "./words";
import { expectBack, load } from "./worklist";

/**
 * Put right what was done.
 *
 * What has not arrived is taken back. A merge is parted, a case gives back what was put into it. A verdict that stands
 * is never deleted, and the service has no way to say "I said nothing": it is corrected by another one.
 */
export function UndoDialog({ asked, deed }: { asked: Asking; deed: Deed }) {
  const [reason, setReason] = useState("");
  const why = reason.trim();

  return (
    <Form
      asked={asked}
      title={t("review.undo_title")}
      action={action(deed)}
      ready={deed.kind === "verdict" || why !== ""}
      onSubmit={() => undo(asked, deed, why)}
    >
      <p>{told(deed)}</p>
      {deed.kind !== "verdict" && <Reason label={t("review.reason")} value={reason} onInput={setReason} />}
    </Form>
  );
}

function action(deed: Deed): string {
  switch (deed.kind) {
    case "verdict":
      return t("review.undo_look");
    case "merge":
      return t("review.undo_merge");
    case "case":
      return t("review.undo_case");
  }
}

function told(deed: Deed): string {
  switch (deed.kind) {
    case "verdict":
      return t(unsent(deed.id) ? "review.undo_unsent" : "review.undo_verdict", { verdict: named(deed.verdict) });
    case "merge":
      return t("review.undo_merge_told");
    case "case":
      return t("review.undo_case_told", { title: deed.title });
  }
}

function unsent(id: string): boolean {
  return outbox.value?.waiting.value.some((each) => each.record_id === id) ?? false;
}

async function undo(asked: Asking, deed: Deed, reason: string): Promise<void> {
  switch (deed.kind) {
    case "verdict": {
      const taken = (await outbox.peek()?.take(deed.id)) ?? null;
      // What stands, or may, can be put right still.
      if (taken === null || taken === "unsaid") forget((each) => each === deed);
      if (taken !== null) expectBack(deed.id);
      if (taken !== null) say(t(`review.undo_${taken}`), taken === "unsaid" ? "good" : "bad");
      else say(t("review.undo_open", { verdict: named(deed.verdict) }));
      shut(asked, deed.id);
      await attempt(() => openCrossing(deed.id, null));
      await attempt(load);
      return;
    }
    case "merge":
      await split(asked, deed.id, reason);
      return;
    case "case":
      if (!(await attempt(() => takeOut(deed.caseId, deed.id, reason)))) return;
      forget((each) => each === deed);
      shut(asked);
      say(t("review.undo_case_done", { title: deed.title }));
      await attempt(readAgain);
  }
}
