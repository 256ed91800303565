import { type Signal, useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { Confirm } from "../../../ui/Confirm";
import { say } from "../../../ui/failure";
import { InputField } from "../../../ui/fields";
import { type Candidate, coveringOf } from "./preview";

interface Props {
  candidates: readonly Candidate[];
  ticked: Signal<readonly string[]>;
  partner: string;
  onDone: () => void;
}

/** Releases what was ticked, each under the agreement that its preview was of. What fails stays ticked, and is asked again. */
export function ReleaseMany({ candidates, ticked, partner, onDone }: Props) {
  const asking = useSignal<readonly Candidate[] | null>(null);
  const reason = useSignal("");

  async function release(chosen: readonly Candidate[]): Promise<void> {
    const failed: Candidate[] = [];
    const refusals: unknown[] = [];
    for (const candidate of chosen) {
      const { ours, preview } = candidate;
      const covering = coveringOf(preview);
      if (covering === undefined) continue;
      const body = {
        record_id: ours.id,
        partner_id: preview.partner_id,
        agreement_id: covering.agreement_id,
        ...(reason.value.trim() === "" ? {} : { reason: reason.value }),
      };
      try {
        await service.POST("/releases", { body });
        ticked.value = ticked.peek().filter((id) => id !== ours.id);
      } catch (error) {
        refusals.push(error);
        failed.push(candidate);
      }
    }
    const done = chosen.length - failed.length;
    if (done > 0) say(t("share.released_many", { count: done, partner }));
    onDone();
    if (failed.length > 0) {
      asking.value = failed;
      throw new AggregateError(refusals);
    }
    reason.value = "";
  }

  return (
    <div class="row act">
      <button
        type="button"
        class="primary"
        disabled={candidates.length === 0}
        onClick={() => {
          asking.value = candidates;
        }}
      >
        {candidates.length === 0 ? t("share.release") : t("share.release_many", { count: candidates.length })}
      </button>
      <Asking about={asking}>
        {(chosen, close) => (
          <Confirm
            title={t("share.release_to", { partner })}
            act={t("share.release")}
            onClose={close}
            onConfirm={() => release(chosen)}
          >
            <p>{t("share.releasing_says", { count: chosen.length, partner })}</p>
            <InputField label={t("share.reason_optional")} value={reason} />
          </Confirm>
        )}
      </Asking>
    </div>
  );
}
