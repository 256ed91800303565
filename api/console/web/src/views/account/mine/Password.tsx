import { useSignal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";
import { renewed } from "../../../app/session";
import { t } from "../../../i18n";
import { Form } from "../../../ui/Form";
import { say } from "../../../ui/failure";
import { InputField } from "../../../ui/fields";

/** Another password: it ends one's other sessions, and this one goes on. */
export function Password({ onChanged }: { onChanged: () => void }) {
  const old = useSignal("");
  const fresh = useSignal("");
  const again = useSignal("");

  async function change(): Promise<void> {
    if (fresh.value !== again.value) throw new Error(t("account.not_alike"));
    const body = { password: old.value, new_password: fresh.value };
    renewed(dataOf(await service.PUT("/password", { body })).csrf);
    old.value = "";
    fresh.value = "";
    again.value = "";
    say(t("account.password_changed"));
    onChanged();
  }

  return (
    <section class="stack" aria-label={t("account.password")}>
      <h2>{t("account.password")}</h2>
      <Form class="stack narrow" button={t("account.change_password")} look="primary" act={change}>
        <InputField
          label={t("account.old_password")}
          value={old}
          type="password"
          autocomplete="current-password"
          required
        />
        <InputField
          label={t("account.fresh_password")}
          value={fresh}
          type="password"
          autocomplete="new-password"
          required
          hint={t("account.password_hint")}
        />
        <InputField
          label={t("account.again_password")}
          value={again}
          type="password"
          autocomplete="new-password"
          required
        />
      </Form>
    </section>
  );
}
