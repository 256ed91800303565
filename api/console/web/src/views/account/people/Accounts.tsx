import { useSignal } from "@preact/signals";
import { dataOf, pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { usePages } from "../../../ui/asked";
import { Form } from "../../../ui/Form";
import { InputField } from "../../../ui/fields";
import { OneTime, type Secret } from "../../../ui/OneTime";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { type Deed, type Known, Sure } from "./deeds";
import { ROLES, type Role, RoleFields, roleText } from "./role";

/** Who may log in, as what. A new account, or one whose password is forgotten, has a secret that is shown once. */
export default function Accounts() {
  const pages = usePages(async () => pageOf(await service.GET("/accounts")), []);
  const secret = useSignal<Secret | null>(null);
  const asking = useSignal<{ account: Known; deed: Deed } | null>(null);
  const show = (made: Secret | null) => {
    secret.value = made;
    pages.again();
  };
  const offer = (account: Known, deed: Deed) => (
    <button
      type="button"
      onClick={() => {
        asking.value = { account, deed };
      }}
    >
      {t(`account.deed_${deed}`)}
    </button>
  );
  return (
    <section class="stack" aria-label={t("account.accounts")}>
      <Table
        asked={pages}
        columns={[t("account.login"), t("account.name"), t("account.role"), t("account.state")]}
        actions
        none={t("account.no_accounts")}
        row={(account) => (
          <tr key={account.id}>
            <th scope="row">{account.login}</th>
            <td>{account.name}</td>
            <td>{roleText(account.role)}</td>
            <td>
              <State account={account} />
            </td>
            <td>
              <div class="row">
                {account.disabled === null ? (
                  <>
                    {account.issuer === null && offer(account, "renew")}
                    {offer(account, "end_sessions")}
                    {offer(account, "disable")}
                  </>
                ) : (
                  offer(account, "enable")
                )}
              </div>
            </td>
          </tr>
        )}
      />
      <NewAccount onMade={show} />
      <Asking about={asking}>
        {({ account, deed }, close) => <Sure account={account} deed={deed} onClose={close} onDone={show} />}
      </Asking>
      <OneTime secret={secret} />
    </section>
  );
}

function State({ account }: { account: Known }) {
  if (account.disabled !== null) {
    return (
      <span class="state bad">
        {t("account.disabled")} <Time at={account.disabled} />
      </span>
    );
  }
  if (account.issuer !== null) return <span>{t("account.from_provider", { issuer: account.issuer })}</span>;
  return (
    <span class={`state ${account.password_set ? "" : "warn"}`}>
      {t(account.password_set ? "account.active" : "account.not_yet")}
    </span>
  );
}

function NewAccount({ onMade }: { onMade: (secret: Secret) => void }) {
  const login = useSignal("");
  const name = useSignal("");
  const role = useSignal<Role>("analyst");
  const partner = useSignal("");
  return (
    <Form
      label={t("account.new_account")}
      button={t("account.new_account")}
      look="primary"
      act={async () => {
        const bound = role.value === "partner" ? { partner_id: partner.value } : {};
        const body = { login: login.value, name: name.value, role: role.value, ...bound };
        const made = dataOf(await service.POST("/accounts", { body }));
        onMade({ name: made.login, secret: made.secret, expires: made.expires });
        login.value = "";
        name.value = "";
      }}
    >
      <InputField label={t("account.login")} value={login} required />
      <InputField label={t("account.name")} value={name} required />
      <RoleFields roles={ROLES} role={role} partner={partner} />
    </Form>
  );
}
