import { t } from "../../../i18n";
import { usePages } from "../../../ui/asked";
import { Dialog } from "../../../ui/Dialog";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { deliveriesOf, type Webhook } from "./webhooks";

/** What became of each call of a target, the newest first. */
export function Deliveries({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const pages = usePages(
    () => deliveriesOf(webhook.id),
    [webhook.id],
    (cursor) => deliveriesOf(webhook.id, cursor),
  );
  return (
    <Dialog title={`${t("share.deliveries")}: ${webhook.url}`} onClose={onClose}>
      <div class="stack">
        <Table
          asked={pages}
          columns={[t("share.time"), t("share.event"), t("share.attempt"), t("share.outcome"), t("share.took")]}
          none={t("share.no_deliveries")}
          row={(one) => (
            <tr key={one.id}>
              <td>
                <Time at={one.time} />
              </td>
              <td>
                {one.kind} <small>{t("share.event_number", { n: one.n })}</small>
              </td>
              <td>{one.attempt}</td>
              <td class={one.outcome === "taken" ? "state good" : "state bad"}>
                {t(`share.outcome_${one.outcome}`)}
                {one.status !== null && ` (${one.status})`}
              </td>
              <td>{Math.round(one.duration_ms)} ms</td>
            </tr>
          )}
        />
        <div class="row">
          <button type="button" disabled={pages.busy} onClick={pages.again}>
            {t("share.read_again")}
          </button>
          <button type="button" onClick={onClose}>
            {t("app.close")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
