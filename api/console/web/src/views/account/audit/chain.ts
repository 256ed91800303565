import { signal } from "@preact/signals";
import { dataOf, service } from "../../../api/client";

export type Verification = Awaited<ReturnType<typeof askVerification>>;

/** What the last verification found, and when; kept while other parts of the page are looked at. */
export const verified = signal<{ found: Verification; at: string } | null>(null);

/** Have the service recompute the whole chain. */
export async function verify(): Promise<void> {
  verified.value = { found: await askVerification(), at: new Date().toISOString() };
}

async function askVerification() {
  return dataOf(await service.GET("/audit/verification"));
}

/** The newest entry's number and hash, signed where the service has a key. */
export async function askHead() {
  return dataOf(await service.GET("/audit/head"));
}
