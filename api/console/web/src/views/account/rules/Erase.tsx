import { useSignal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { say } from "../../../ui/failure";
import { InputField } from "../../../ui/fields";

const SAID = {
  erased: "account.erased_now",
  "erased when what is being read ends": "account.erased_later",
  "waits for a second person": "account.waits_for_second",
} as const;

/** Erase one record for a reason, once its beginning was typed. */
export function Erase({ onDone }: { onDone: () => void }) {
  const record = useSignal("");
  const reason = useSignal("");
  const asking = useSignal<{ id: string; reason: string } | null>(null);
  if (!may("erase")) return null;
  return (
    <section class="stack" aria-label={t("account.erase")}>
      <h2>{t("account.erase")}</h2>
      <Form
        button={t("account.erase_record")}
        act={async () => {
          asking.value = { id: record.value.trim(), reason: reason.value };
        }}
      >
        <InputField label={t("account.record_id")} value={record} required />
        <InputField label={t("account.law_and_case")} value={reason} required hint={t("account.name_nobody")} />
      </Form>
      <Asking about={asking}>
        {(asked, close) => (
          <Confirm
            title={t("account.erase_record")}
            act={t("account.erase_for_good")}
            danger
            typed={asked.id.slice(0, 8)}
            onClose={close}
            onConfirm={async () => {
              const body = { record_id: asked.id, reason: asked.reason };
              const { state } = dataOf(await service.POST("/erasures", { body }));
              say(t(SAID[state]));
              record.value = "";
              reason.value = "";
              onDone();
            }}
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
      </Asking>
    </section>
  );
}
