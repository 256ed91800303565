import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import { attempt, say } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";

/** Erase one record for a reason, once its beginning was typed. */
export function Erase({ onDone }: { onDone: () => void }) {
  const record = useSignal("");
  const reason = useSignal("");
  const asking = useSignal(false);
  if (!may("erase")) return null;
  const id = record.value.trim();
  return (
    <section class="stack" aria-label={t("account.erase")}>
      <h2>{t("account.erase")}</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          asking.value = true;
        }}
      >
        <TextField label={t("account.record_id")} value={record} required />
        <TextField label={t("account.law_and_case")} value={reason} required hint={t("account.name_nobody")} />
        <button type="submit">{t("account.erase_record")}</button>
      </form>
      {asking.value && (
        <Confirm
          title={t("account.erase_record")}
          act={t("account.erase_for_good")}
          danger
          typed={id.slice(0, 8)}
          onClose={() => {
            asking.value = false;
          }}
          onConfirm={() =>
            attempt(async () => {
              const body = { record_id: id, reason: reason.value };
              const { response } = await service.POST("/erasures", { body });
              say(t(response.status === 202 ? "account.waits_for_second" : "account.erased_now"));
              record.value = "";
              reason.value = "";
              onDone();
            })
          }
        >
          <p>{t("account.erasing_says")}</p>
          <ul>
            <li>{t("account.erasing_content")}</li>
            <li>{t("account.erasing_partners")}</li>
            <li>{t("account.erasing_backups")}</li>
            <li>{t("account.erasing_tombstone")}</li>
          </ul>
        </Confirm>
      )}
    </section>
  );
}
