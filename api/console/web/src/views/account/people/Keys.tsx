import { useSignal } from "@preact/signals";
import { dataOf, pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Answer, More } from "../../../ui/Answer";
import { usePages } from "../../../ui/asked";
import { Confirm } from "../../../ui/Confirm";
import { attempt } from "../../../ui/failure";
import { TextField } from "../../../ui/fields";
import { Time } from "../../../ui/Time";
import { OneTime, type Secret } from "./OneTime";
import { KEY_ROLES, type Role, RoleFields } from "./role";

/** Keys of machines: what each may, for whom it delivers, when it was used last. */
export default function Keys() {
  const pages = usePages(async () => pageOf(await service.GET("/keys")), []);
  const secret = useSignal<Secret | null>(null);
  const revoking = useSignal<{ id: string; name: string } | null>(null);
  return (
    <section class="stack" aria-label={t("account.keys")}>
      <Answer asked={pages}>
        {(keys) => (
          <>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("account.name")}</th>
                    <th scope="col">{t("account.role")}</th>
                    <th scope="col">{t("account.sources")}</th>
                    <th scope="col">{t("account.expires")}</th>
                    <th scope="col">{t("account.used")}</th>
                    <th scope="col">{t("account.state")}</th>
                  </tr>
                </thead>
                <tbody>
                  {keys.map((key) => (
                    <tr key={key.id}>
                      <th scope="row">{key.name}</th>
                      <td>
                        {key.role}
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
                  ))}
                </tbody>
              </table>
            </div>
            <More pages={pages} />
          </>
        )}
      </Answer>
      <NewKey
        onMade={(made) => {
          secret.value = made;
          pages.again();
        }}
      />
      {revoking.value !== null && (
        <Confirm
          title={`${t("account.revoke")}: ${revoking.value.name}`}
          act={t("account.revoke")}
          danger
          onClose={() => {
            revoking.value = null;
          }}
          onConfirm={() =>
            attempt(async () => {
              const params = { path: { key_id: revoking.value?.id ?? "" } };
              await service.DELETE("/keys/{key_id}", { params });
              pages.again();
            })
          }
        >
          <p>{t("account.revoking_says")}</p>
        </Confirm>
      )}
      {secret.value !== null && (
        <OneTime
          shown={secret.value}
          onClose={() => {
            secret.value = null;
          }}
        />
      )}
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
    <form
      class="row"
      aria-label={t("account.new_key")}
      onSubmit={(event) => {
        event.preventDefault();
        return attempt(async () => {
          const named = sources.value.split(/[\s,]+/).filter((each) => each !== "");
          const body = {
            name: name.value,
            role: role.value,
            ...(role.value === "partner" ? { partner_id: partner.value } : {}),
            ...(delivers && named.length > 0 ? { sources: named } : {}),
            ...(until.value === "" ? {} : { expires: new Date(until.value).toISOString() }),
          };
          const made = dataOf(await service.POST("/keys", { body }));
          onMade({ name: name.value, secret: made.key, expires: null });
          name.value = "";
        });
      }}
    >
      <TextField label={t("account.name")} value={name} required />
      <RoleFields roles={KEY_ROLES} role={role} partner={partner} />
      {delivers && <TextField label={t("account.sources")} value={sources} hint={t("account.sources_hint")} />}
      <TextField label={t("account.expires_optional")} value={until} type="datetime-local" />
      <button type="submit" class="primary">
        {t("account.new_key")}
      </button>
    </form>
  );
}
