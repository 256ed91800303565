import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import type { Secret } from "../../../ui/OneTime";

/** What an administrator does to an account. */
export type Deed = "renew" | "end_sessions" | "disable" | "enable";
export type Known = NonNullable<Awaited<ReturnType<typeof askAccounts>>["data"]>[number];

const askAccounts = () => service.GET("/accounts");

interface Props {
  account: Known;
  deed: Deed;
  onClose: () => void;
  /** With the new secret where there is one. */
  onDone: (secret: Secret | null) => void;
}

/** Ask first, and say what follows. */
export function Sure({ account, deed, onClose, onDone }: Props) {
  return (
    <Confirm
      title={`${t(`account.deed_${deed}`)}: ${account.login}`}
      act={t(`account.deed_${deed}`)}
      danger={deed === "disable" || deed === "renew"}
      onClose={onClose}
      onConfirm={async () => onDone(await done(account, deed))}
    >
      <p>{t(`account.deed_${deed}_says`, { name: account.name })}</p>
    </Confirm>
  );
}

async function done(account: Known, deed: Deed): Promise<Secret | null> {
  const params = { path: { account_id: account.id } };
  switch (deed) {
    case "renew": {
      const made = dataOf(await service.POST("/accounts/{account_id}/secret", { params }));
      return { name: made.login, secret: made.secret, expires: made.expires };
    }
    case "end_sessions":
      await service.DELETE("/accounts/{account_id}/sessions", { params });
      return null;
    case "disable":
    case "enable":
      await service.PATCH("/accounts/{account_id}", { params, body: { disabled: deed === "disable" } });
      return null;
  }
}
