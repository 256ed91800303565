import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Confirm } from "../../../ui/Confirm";
import type { Secret } from "../../../ui/OneTime";
import type { Webhook } from "./webhooks";

/** What the owner of a target does to it. */
export type Deed = "pause" | "resume" | "renew" | "remove";

interface Props {
  webhook: Webhook;
  deed: Deed;
  onClose: () => void;
  /** With the new secret where there is one. */
  onDone: (secret: Secret | null) => void;
}

/** Ask first, and say what follows. */
export function Sure({ webhook, deed, onClose, onDone }: Props) {
  return (
    <Confirm
      title={`${t(`share.deed_${deed}`)}: ${webhook.url}`}
      act={t(`share.deed_${deed}`)}
      danger={deed === "remove" || deed === "renew"}
      onClose={onClose}
      onConfirm={async () => onDone(await done(webhook, deed))}
    >
      <p>{t(`share.deed_${deed}_says`)}</p>
    </Confirm>
  );
}

async function done({ id, url }: Webhook, deed: Deed): Promise<Secret | null> {
  const params = { path: { webhook_id: id } };
  switch (deed) {
    case "pause":
      await service.POST("/webhooks/{webhook_id}/pause", { params });
      return null;
    case "resume":
      await service.POST("/webhooks/{webhook_id}/redelivery", { params, body: {} });
      return null;
    case "renew": {
      const made = dataOf(await service.POST("/webhooks/{webhook_id}/secret", { params }));
      return { name: url, secret: made.secret, expires: null };
    }
    case "remove":
      await service.DELETE("/webhooks/{webhook_id}", { params });
      return null;
  }
}
