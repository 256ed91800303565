import { useSignal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { useAsked } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { InputField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";

/** Id of the field in which the days of a rule are written. */
const DAYS = "retention-days";

/** How long records of each purpose are kept at most. */
export default function Retention() {
  const rules = useAsked(async () => dataOf(await service.GET("/retention")), []);
  const purpose = useSignal("");
  const days = useSignal("");
  const setting = useSignal<{ purpose: string; days: number } | null>(null);
  const ending = useSignal<string | null>(null);
  const write = may("policy.write");
  return (
    <section class="stack" aria-label={t("account.retention")}>
      <p class="soft">{t("account.retention_says")}</p>
      <Table
        asked={rules}
        columns={[t("account.purpose"), t("account.kept_for"), t("account.set")]}
        actions={write}
        none={t("account.no_rules")}
        row={(rule) => (
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
                      document.getElementById(DAYS)?.focus();
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
        )}
      />
      {write && (
        <Form
          label={t("account.set_rule")}
          button={t("account.set_rule")}
          look="primary"
          act={async () => {
            setting.value = { purpose: purpose.value, days: Number(days.value) };
          }}
        >
          <InputField label={t("account.purpose")} value={purpose} required />
          <InputField
            id={DAYS}
            label={t("account.at_most_days")}
            value={days}
            type="number"
            min={1}
            max={3660}
            required
          />
        </Form>
      )}
      <Asking about={setting}>
        {(rule, close) => (
          <Confirm
            title={t("account.set_rule")}
            act={t("account.set_it")}
            danger
            onClose={close}
            onConfirm={async () => {
              const params = { path: { purpose: rule.purpose } };
              await service.PUT("/retention/{purpose}", { params, body: { days: rule.days } });
              purpose.value = "";
              days.value = "";
              rules.again();
            }}
          >
            <p>{t("account.setting_says", { purpose: rule.purpose, count: rule.days })}</p>
          </Confirm>
        )}
      </Asking>
      <Asking about={ending}>
        {(ended, close) => (
          <Confirm
            title={t("account.end_rule")}
            act={t("account.end_it")}
            onClose={close}
            onConfirm={async () => {
              await service.DELETE("/retention/{purpose}", { params: { path: { purpose: ended } } });
              rules.again();
            }}
          >
            <p>{t("account.ending_rule_says", { purpose: ended })}</p>
          </Confirm>
        )}
      </Asking>
    </section>
  );
}
