import { useSignal } from "@preact/signals";
import { dataOf, pageOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Asking } from "../../../ui/Asking";
import { useAgain, usePages } from "../../../ui/asked";
import { Form } from "../../../ui/Form";
import { InputField } from "../../../ui/fields";
import { OneTime, type Secret } from "../../../ui/OneTime";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { Deliveries } from "./Deliveries";
import { type Deed, Sure } from "./deeds";
import { askWebhooks, standingOf, type Webhook, wishOf } from "./webhooks";

const LOOK_MS = 10_000;

/** Targets that the service calls with each event: made, looked after, and taken away. */
export default function Webhooks() {
  const pages = usePages(async () => pageOf(await askWebhooks()), []);
  useAgain(pages, LOOK_MS);
  const secret = useSignal<Secret | null>(null);
  const asking = useSignal<{ webhook: Webhook; deed: Deed } | null>(null);
  const looking = useSignal<Webhook | null>(null);
  return (
    <section class="stack" aria-label={t("share.webhooks")}>
      <p class="soft">{t("share.webhooks_say")}</p>
      <Table
        asked={pages}
        columns={[t("share.target"), t("share.event_kinds"), t("share.since"), t("share.state")]}
        actions
        none={t("share.no_webhooks")}
        row={(webhook) => (
          <tr key={webhook.id}>
            <th scope="row" class="url">
              {webhook.url}
            </th>
            <td>{webhook.kinds?.join(", ") ?? t("share.every_kind")}</td>
            <td>
              <Time at={webhook.created} />
            </td>
            <td>
              <Standing webhook={webhook} />
            </td>
            <td>
              <div class="row">
                <button
                  type="button"
                  onClick={() => {
                    looking.value = webhook;
                  }}
                >
                  {t("share.deliveries")}
                </button>
                {deedsOf(webhook).map((deed) => (
                  <button
                    type="button"
                    key={deed}
                    onClick={() => {
                      asking.value = { webhook, deed };
                    }}
                  >
                    {t(`share.deed_${deed}`)}
                  </button>
                ))}
              </div>
            </td>
          </tr>
        )}
      />
      <NewWebhook
        onMade={(made) => {
          secret.value = made;
          pages.again();
        }}
      />
      <Asking about={looking}>{(one, close) => <Deliveries webhook={one} onClose={close} />}</Asking>
      <Asking about={asking}>
        {(one, close) => (
          <Sure
            {...one}
            onClose={close}
            onDone={(shown) => {
              secret.value = shown;
              pages.again();
            }}
          />
        )}
      </Asking>
      <OneTime secret={secret} />
    </section>
  );
}

function deedsOf(webhook: Webhook): readonly Deed[] {
  return [standingOf(webhook) === "resting" ? "resume" : "pause", "renew", "remove"];
}

function Standing({ webhook }: { webhook: Webhook }) {
  switch (standingOf(webhook)) {
    case "resting":
      return (
        <span class="state bad">
          {t("share.target_resting")} <Time at={webhook.disabled ?? ""} />: {webhook.disabled_reason}
        </span>
      );
    case "failing":
      return (
        <span class="state bad">
          {t("share.target_failing", { count: webhook.failures })} <Time at={webhook.failing_since ?? ""} />
        </span>
      );
    case "going":
      return <span class="state good">{t("share.target_going", { n: webhook.after })}</span>;
  }
}

function NewWebhook({ onMade }: { onMade: (secret: Secret) => void }) {
  const url = useSignal("");
  const kinds = useSignal("");
  return (
    <Form
      label={t("share.new_webhook")}
      button={t("share.new_webhook")}
      look="primary"
      act={async () => {
        const made = dataOf(await service.POST("/webhooks", { body: wishOf(url.value, kinds.value) }));
        onMade({ name: made.url, secret: made.secret, expires: null });
        url.value = "";
        kinds.value = "";
      }}
    >
      <InputField label={t("share.target_url")} value={url} hint={t("share.target_hint")} required />
      <InputField label={t("share.kinds_optional")} value={kinds} hint={t("share.kinds_hint")} />
    </Form>
  );
}
