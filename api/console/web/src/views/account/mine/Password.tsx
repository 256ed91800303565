import { useSignal } from "@preact/signals";
import { dataOf, service, useToken } from "../../../api/client";
import { t } from "../../../i18n";
import { attempt, report, say } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";

/** Another password: it ends one's other sessions, and this one goes on. */
export function Password({ onChanged }: { onChanged: () => void }) {
  const old = useSignal("");
  const fresh = useSignal("");
  const again = useSignal("");
  const busy = useSignal(false);

  async function change(): Promise<void> {
    if (fresh.value !== again.value) {
      report(new Error(t("account.not_alike")));
      return;
    }
    busy.value = true;
    const done = await attempt(async () => {
      const body = { password: old.value, new_password: fresh.value };
      useToken(dataOf(await service.PUT("/password", { body })).csrf);
    });
    busy.value = false;
    if (!done) return;
    old.value = "";
    fresh.value = "";
    again.value = "";
    say(t("account.password_changed"));
    onChanged();
  }

  return (
    <section class="stack" aria-label={t("account.password")}>
      <h2>{t("account.password")}</h2>
      <form
        class="stack narrow"
        onSubmit={(event) => {
          event.preventDefault();
          return change();
        }}
      >
        <TextField
          label={t("account.old_password")}
          value={old}
          type="password"
          autocomplete="current-password"
          required
        />
        <TextField
          label={t("account.fresh_password")}
          value={fresh}
          type="password"
          autocomplete="new-password"
          required
          hint={t("account.password_hint")}
        />
        <TextField
          label={t("account.again_password")}
          value={again}
          type="password"
          autocomplete="new-password"
          required
        />
        <div>
          <button type="submit" class="primary" disabled={busy.value}>
            {t("account.change_password")}
          </button>
        </div>
      </form>
    </section>
  );
}
