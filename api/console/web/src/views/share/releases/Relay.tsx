import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import { InputField, TickField } from "../../../ui/fields";
import type { Release } from "./Releases";

interface Props {
  release: Release;
  partner: string;
  onDone: () => void;
  onClose: () => void;
}

/** Write down a receipt that came by letter or mail: who gave it, how it came. */
export function Relay({ release, partner, onDone, onClose }: Props) {
  const giver = useSignal("");
  const way = useSignal("");
  const note = useSignal("");
  const erased = useSignal(false);

  async function write(): Promise<void> {
    if (!erased.value) throw new Error(t("share.say_erased"));
    await service.POST("/releases/{release_id}/receipt", {
      params: { path: { release_id: release.id } },
      body: {
        erased: true,
        given_by: giver.value,
        way: way.value,
        ...(note.value.trim() === "" ? {} : { note: note.value }),
      },
    });
    onDone();
  }

  return (
    <Confirm title={t("share.relay_from", { partner })} act={t("share.write_down")} onClose={onClose} onConfirm={write}>
      <p>{t("share.relaying_says")}</p>
      <InputField label={t("share.given_by")} value={giver} required hint={t("share.given_by_hint")} />
      <InputField label={t("share.way")} value={way} required hint={t("share.way_hint")} />
      <InputField label={t("share.note_optional")} value={note} />
      <TickField label={t("share.they_say_erased", { partner })} value={erased} />
    </Confirm>
  );
}
