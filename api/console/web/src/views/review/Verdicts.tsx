import { useEffect } from "preact/hooks";
import { may } from "../../app/session";
import { t, type Word } from "../../i18n";
import { type Key, shortcut, useKeys } from "../../ui/keys";
import { Shortcut } from "../../ui/Shortcut";
import { claim, heldBy } from "./claims";
import type { Crossing } from "./crossing";
import {
  type AskingAbout,
  asking,
  askUndo,
  current,
  deeds,
  judge,
  leave,
  mayJudge,
  outbox,
  ownFirst,
  returned,
} from "./desk";
import type { Details } from "./details";
import { evidenceKey } from "./evidence";
import { isShown } from "./shown";
import { named } from "./words";

/** What can be done with the open crossing, and why something cannot. */
export function Verdicts({ known }: { known: Details }) {
  const { crossing } = known;
  const held = heldBy.value ?? (claim.value !== null && !claim.value.mine ? claim.value.by : null);
  const mine = ownFirst.value;
  const going = outbox.value?.waiting.value.some((each) => each.record_id === crossing.id) ?? false;
  const merged = crossing.state === "merged";
  const free = mayJudge() && held === null && !merged && !going;
  const looked = isShown(evidenceKey(crossing));
  const mayConfirm = free && looked && mine?.verdict !== "confirm" && crossing.state !== "confirmed";
  const mayDismiss = free && looked && crossing.state !== "dismissed";
  const why = held ?? (mine?.verdict === "confirm" ? t("review.own_first") : null);
  const told = why === null ? undefined : "review-why";

  const confirm = () => judge(known, { verdict: "confirm", reason: null, category: null });
  const ask = (what: AskingAbout["what"]) => () => {
    asking.value = { what, about: known };
  };
  const acts: readonly (Key & { label: Word; on: boolean; tone?: string })[] = [
    {
      key: "c",
      word: "review.key_confirm",
      label: "review.confirm",
      on: mayConfirm,
      tone: "primary",
      act: confirm,
    },
    { key: "d", word: "review.key_dismiss", label: "review.dismiss", on: mayDismiss, act: ask("dismiss") },
    { key: "m", word: "review.key_merge", label: "review.merge", on: free, act: ask("merge") },
    { key: "g", word: "review.key_case", label: "review.case", on: may("case.write"), act: ask("case") },
    { key: "u", word: "review.key_undo", label: "review.undo", on: deeds.value.length > 0, act: askUndo },
  ];
  const shown = acts.filter((each) => (each.key === "g" ? may("case.write") : mayJudge()));
  useKeys(shown.filter((each) => each.act !== askUndo).map((each) => ({ ...each, when: () => each.on })));

  return (
    <div class="verdicts">
      <fieldset class="buttons">
        <legend class="unseen">{t("review.verdict")}</legend>
        {shown.map((each) => (
          <button
            key={each.key}
            type="button"
            class={each.tone}
            disabled={!each.on}
            aria-describedby={told}
            title={free && !looked ? t("review.look_first") : undefined}
            aria-keyshortcuts={shortcut(each.key)}
            onClick={each.act}
          >
            {t(each.label)} <Shortcut of={each.key} />
          </button>
        ))}
        {held !== null && may("claim.take") && (
          <button type="button" onClick={ask("take-over")}>
            {t("review.take_over")}
          </button>
        )}
      </fieldset>
      {why !== null && (
        <p id="review-why" class="warn">
          {why}
        </p>
      )}
      <Standing crossing={crossing} />
      <CameBack known={known} ready={free && looked} />
    </div>
  );
}

/** How the review stands. */
function Standing({ crossing }: { crossing: Crossing }) {
  const { first, state } = crossing;
  const people = current.value?.people ?? 1;
  if (state === null) return null;
  return (
    <p class="standing">
      <strong>{named(state)}</strong>
      {crossing.reviewer !== null && <> · {t("review.by", { name: crossing.reviewer })}</>}
      {crossing.category !== null && <> · {named(crossing.category)}</>}
      {crossing.reason !== null && <> · {crossing.reason}</>}
      {first !== null && <> · {t("review.first_said", { name: first.reviewer, verdict: named(first.verdict) })}</>}
      {crossing.disputed && <> · {t("review.disputed_long")}</>}
      {people > 1 && first === null && !crossing.disputed && <> · {t("review.two_people_long")}</>}
    </p>
  );
}

/** The reader's verdict was not taken, as where somebody else was faster: why, and the choice again. */
function CameBack({ known, ready }: { known: Details; ready: boolean }) {
  const { id } = known.crossing;
  const back = returned.value.find((each) => each.id === id);
  useEffect(() => {
    if (back !== undefined) document.getElementById("overtaken")?.focus();
  }, [back]);
  if (back === undefined) return null;
  const { by, mine, refusal } = back;
  return (
    <div id="overtaken" class="overtaken" role="alert" tabIndex={-1}>
      <p>
        {by === null
          ? (refusal ?? t("review.overtaken_revision"))
          : t("review.overtaken_by", { name: by.reviewer, verdict: named(by.verdict) })}{" "}
        {by?.reason}
      </p>
      <p>{t("review.overtaken_yours", { verdict: named(mine.verdict) })}</p>
      <div class="row">
        <button type="button" disabled={!ready} onClick={() => judge(known, mine)}>
          {t("review.say_it_again", { verdict: named(mine.verdict) })}
        </button>
        <button type="button" onClick={() => leave(id)}>
          {t("review.leave_it")}
        </button>
      </div>
    </div>
  );
}
