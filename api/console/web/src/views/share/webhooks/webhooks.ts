/** Targets that the service calls: the reader's own, a partner's or those of the inside. */

import { dataOf, type Page, type Schemas, service } from "../../../api/client";

export type Webhook = NonNullable<Awaited<ReturnType<typeof askWebhooks>>["data"]>[number];
export type Delivery = NonNullable<Awaited<ReturnType<typeof askDeliveries>>["data"]>["deliveries"][number];

export const askWebhooks = () => service.GET("/webhooks");

const askDeliveries = (id: string, cursor?: string) =>
  service.GET("/webhooks/{webhook_id}/deliveries", {
    params: { path: { webhook_id: id }, query: cursor === undefined ? {} : { cursor } },
  });

/** Attempts at a target, the newest first. */
export async function deliveriesOf(id: string, cursor?: string): Promise<Page<Delivery[]>> {
  const found = dataOf(await askDeliveries(id, cursor));
  return { items: found.deliveries, next: found.next };
}

/** What is wanted of a target, as it is written: kinds of events by commas or spaces, none for all. */
export function wishOf(url: string, kinds: string): Schemas["WebhookIn"] {
  const named = kinds.split(/[\s,;]+/).filter((each) => each !== "");
  return { url: url.trim(), ...(named.length === 0 ? {} : { kinds: named }) };
}

/** How a target stands. */
export type Standing = "resting" | "failing" | "going";

export function standingOf({ disabled, failures }: Pick<Webhook, "disabled" | "failures">): Standing {
  if (disabled !== null) return "resting";
  return failures > 0 ? "failing" : "going";
}
