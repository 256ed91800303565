import { useSignal } from "@preact/signals";
import { service } from "../../../api/client";
import { addPartner, type Partner } from "../../../api/partners";
import { may } from "../../../app/session";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { InputField } from "../../../ui/fields";
import { Time } from "../../../ui/Time";

/** Who is shared with; who writes rules names partners and ends them. */
export function Partners({ partners, onChange }: { partners: readonly Partner[]; onChange: () => void }) {
  const name = useSignal("");
  const ending = useSignal<Partner | null>(null);
  const write = may("policy.write");
  return (
    <details class="partners">
      <summary>{t("share.partners_count", { count: partners.filter((each) => each.ended === null).length })}</summary>
      <table>
        <tbody>
          {partners.map((partner) => (
            <tr key={partner.id}>
              <th scope="row">{partner.name}</th>
              <td>
                {t("share.since")} <Time at={partner.created} />
              </td>
              <td>
                {partner.ended !== null ? (
                  <>
                    {t("share.ended_at")} <Time at={partner.ended} />
                  </>
                ) : (
                  write && (
                    <button
                      type="button"
                      onClick={() => {
                        ending.value = partner;
                      }}
                    >
                      {t("share.end_partner", { partner: partner.name })}
                    </button>
                  )
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {write && (
        <Form
          label={t("share.new_partner")}
          button={t("share.add")}
          act={async () => {
            await addPartner(name.value);
            name.value = "";
            onChange();
          }}
        >
          <InputField label={t("share.new_partner")} value={name} required />
        </Form>
      )}
      <Asking about={ending}>
        {(partner, close) => (
          <Confirm
            title={t("share.end_partner", { partner: partner.name })}
            act={t("share.end_it")}
            danger
            typed={partner.name}
            onClose={close}
            onConfirm={async () => {
              await service.DELETE("/partners/{partner_id}", { params: { path: { partner_id: partner.id } } });
              onChange();
            }}
          >
            <p>{t("share.ending_partner_says")}</p>
          </Confirm>
        )}
      </Asking>
    </details>
  );
}
