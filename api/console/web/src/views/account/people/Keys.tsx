import { useSignal } from "@preact/signals";
import { dataOf, pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { Form } from "../../../ui/Form";
import { InputField } from "../../../ui/fields";
import { MomentField } from "../../../ui/MomentField";
import { OneTime, type Secret } from "../../../ui/OneTime";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { KEY_ROLES, type Role, RoleFields, roleText } from "./role";

/** Keys of machines: what each may, for whom it delivers, when it was used last. */
export default function Keys() {
  const pages = usePages(async () => pageOf(await service.GET("/keys")), []);
  const secret = useSignal<Secret | null>(null);
  const revoking = useSignal<{ id: string; name: string } | null>(null);
  return (
    <section class="stack" aria-label={t("account.keys")}>
      <Table
        asked={pages}
        columns={[
          t("account.name"),
          t("account.role"),
          t("account.sources"),
          t("account.expires"),
          t("account.used"),
          t("account.state"),
        ]}
        none={t("account.no_keys")}
        row={(key) => (
          <tr key={key.id}>
            <th scope="row">{key.name}</th>
            <td>
              {roleText(key.role)}
              {key.scopes !== null && <small> ({key.scopes.join(", ") || t("app.none")})</small>}
            </td>
            <td>{key.sources?.join(", ")}</td>
            <td>{key.expires === null ? t("account.never") : <Time at={key.expires} />}</td>
            <td>{key.used === null ? t("account.never") : <Time at={key.used} />}</td>
            <td>
              {key.revoked !== null ? (
                <span class="state bad">
                  {t("account.revoked")} <Time at={key.revoked} />
                </span>
              ) : (
                <button
                  type="button"
                  onClick={() => {
                    revoking.value = key;
                  }}
                >
                  {t("account.revoke")}
                </button>
              )}
            </td>
          </tr>
        )}
      />
      <NewKey
        onMade={(made) => {
          secret.value = made;
          pages.again();
        }}
      />
      <Asking about={revoking}>
        {({ id, name }, close) => (
          <Confirm
            title={`${t("account.revoke")}: ${name}`}
            act={t("account.revoke")}
            danger
            onClose={close}
            onConfirm={async () => {
              await service.DELETE("/keys/{key_id}", { params: { path: { key_id: id } } });
              pages.again();
            }}
          >
            <p>{t("account.revoking_says")}</p>
          </Confirm>
        )}
      </Asking>
      <OneTime secret={secret} />
    </section>
  );
}

function NewKey({ onMade }: { onMade: (secret: Secret) => void }) {
  const name = useSignal("");
  const role = useSignal<Role>("sensor");
  const partner = useSignal("");
  const sources = useSignal("");
  const until = useSignal("");
  const delivers = role.value === "pilot" || role.value === "sensor";
  return (
    <Form
      label={t("account.new_key")}
      button={t("account.new_key")}
      look="primary"
      act={async () => {
        const named = sources.value.split(/[\s,]+/).filter((each) => each !== "");
        const body = {
          name: name.value,
          role: role.value,
          ...(role.value === "partner" ? { partner_id: partner.value } : {}),
          ...(delivers && named.length > 0 ? { sources: named } : {}),
          ...(until.value === "" ? {} : { expires: until.value }),
        };
        const made = dataOf(await service.POST("/keys", { body }));
        onMade({ name: name.value, secret: made.key, expires: null });
        name.value = "";
      }}
    >
      <InputField label={t("account.name")} value={name} required />
      <RoleFields roles={KEY_ROLES} role={role} partner={partner} />
      {delivers && <InputField label={t("account.sources")} value={sources} hint={t("account.sources_hint")} />}
      <MomentField label={t("account.expires_optional")} value={until} />
    </Form>
  );
}
