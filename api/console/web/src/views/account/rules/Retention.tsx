import { useSignal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { useAsked } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { attempt } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Time } from "../../../ui/Time";

/** How long records of each purpose are kept at most. */
export default function Retention() {
  const rules = useAsked(async () => dataOf(await service.GET("/retention")), []);
  const purpose = useSignal("");
  const days = useSignal("");
  const setting = useSignal(false);
  const ending = useSignal<string | null>(null);
  const write = may("policy.write");
  return (
    <section class="stack" aria-label={t("account.retention")}>
      <p class="soft">{t("account.retention_says")}</p>
      <Answer asked={rules}>
        {(found) =>
          found.length === 0 ? (
            <p>{t("account.no_rules")}</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("account.purpose")}</th>
                  <th scope="col">{t("account.kept_for")}</th>
                  <th scope="col">{t("account.set")}</th>
                  {write && <td />}
                </tr>
              </thead>
              <tbody>
                {found.map((rule) => (
                  <tr key={rule.purpose}>
                    <th scope="row">{rule.purpose}</th>
                    <td>{t("account.days", { count: rule.days })}</td>
                    <td>
                      <Time at={rule.set} /> <Id id={rule.set_by} />
                    </td>
                    {write && (
                      <td>
                        <div class="row">
                          <button
                            type="button"
                            onClick={() => {
                              purpose.value = rule.purpose;
                              days.value = String(rule.days);
                            }}
                          >
                            {t("account.edit")}
                          </button>
                          <button
                            type="button"
                            onClick={() => {
                              ending.value = rule.purpose;
                            }}
                          >
                            {t("account.end_rule")}
                          </button>
                        </div>
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Answer>
      {write && (
        <form
          class="row"
          aria-label={t("account.set_rule")}
          onSubmit={(event) => {
            event.preventDefault();
            setting.value = true;
          }}
        >
          <TextField label={t("account.purpose")} value={purpose} required />
          <TextField label={t("account.at_most_days")} value={days} type="number" min={1} max={3660} required />
          <button type="submit" class="primary">
            {t("account.set_rule")}
          </button>
        </form>
      )}
      {setting.value && (
        <Confirm
          title={t("account.set_rule")}
          act={t("account.set_it")}
          danger
          onClose={() => {
            setting.value = false;
          }}
          onConfirm={() =>
            attempt(async () => {
              const params = { path: { purpose: purpose.value } };
              await service.PUT("/retention/{purpose}", { params, body: { days: Number(days.value) } });
              purpose.value = "";
              days.value = "";
              rules.again();
            })
          }
        >
          <p>{t("account.setting_says", { purpose: purpose.value, count: Number(days.value) })}</p>
        </Confirm>
      )}
      {ending.value !== null && (
        <Confirm
          title={t("account.end_rule")}
          act={t("account.end_it")}
          onClose={() => {
            ending.value = null;
          }}
          onConfirm={() =>
            attempt(async () => {
              const params = { path: { purpose: ending.value ?? "" } };
              await service.DELETE("/retention/{purpose}", { params });
              rules.again();
            })
          }
        >
          <p>{t("account.ending_rule_says", { purpose: ending.value })}</p>
        </Confirm>
      )}
    </section>
  );
}
