import { type Signal, useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import { report, say } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";
import { type Candidate, coveringOf } from "./preview";

interface Props {
  candidates: readonly Candidate[];
  ticked: Signal<readonly string[]>;
  partner: string;
  onDone: () => void;
}

/** Releases what was ticked, each under the agreement that its preview was of. What fails stays ticked. */
export function ReleaseMany({ candidates, ticked, partner, onDone }: Props) {
  const asking = useSignal(false);
  const reason = useSignal("");

  async function release(): Promise<boolean> {
    let done = 0;
    let failed = false;
    for (const { ours, preview } of candidates) {
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
        done += 1;
        ticked.value = ticked.peek().filter((id) => id !== ours.id);
      } catch (error) {
        report(error);
        failed = true;
      }
    }
    if (done > 0) say(t("share.released_many", { count: done, partner }));
    if (!failed) reason.value = "";
    onDone();
    return !failed;
  }

  return (
    <div class="row act">
      <button
        type="button"
        class="primary"
        disabled={candidates.length === 0}
        onClick={() => {
          asking.value = true;
        }}
      >
        {t("share.release_many", { count: candidates.length })}
      </button>
      {asking.value && (
        <Confirm
          title={t("share.release_to", { partner })}
          act={t("share.release")}
          onClose={() => {
            asking.value = false;
          }}
          onConfirm={release}
        >
          <p>{t("share.releasing_says", { count: candidates.length, partner })}</p>
          <TextField label={t("share.reason_optional")} value={reason} />
        </Confirm>
      )}
    </div>
  );
}
