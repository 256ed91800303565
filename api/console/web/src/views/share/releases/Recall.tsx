import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import { InputField } from "../../../ui/fields";
import type { Release } from "./Releases";

interface Props {
  release: Release;
  partner: string;
  onDone: () => void;
  onClose: () => void;
}

/** Take a release back, with a reason. */
export function Recall({ release, partner, onDone, onClose }: Props) {
  const reason = useSignal("");
  return (
    <Confirm
      title={t("share.recall_from", { partner })}
      act={t("share.recall")}
      danger
      onClose={onClose}
      onConfirm={async () => {
        await service.DELETE("/releases/{release_id}", {
          params: { path: { release_id: release.id }, query: { reason: reason.value } },
        });
        onDone();
      }}
    >
      <p>{t("share.recalling_says", { partner })}</p>
      <InputField label={t("share.reason")} value={reason} required />
    </Confirm>
  );
}
