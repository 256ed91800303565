/** Partners and what is agreed with them. */

import { serviceNow } from "../app/skew";
import { allOf, dataOf, pageOf, type Schemas, service } from "./client";

export type Partner = Awaited<ReturnType<typeof askPartners>>[number];

export interface Agreement {
  id: string;
  terms: Schemas["AgreementTerms"];
  created: string;
  ended: string | null;
}

const LIMIT = { params: { query: { limit: 1000 } } };

/** All partners, ended ones too. */
export const askPartners = async () => allOf(service.GET("/partners", LIMIT).then(pageOf));

/** All agreements, ended ones too. */
export async function askAgreements(): Promise<Agreement[]> {
  // Answers are read with places as lists of any length, and written as pairs; the service knows pairs alone.
  return (await allOf(service.GET("/agreements", LIMIT).then(pageOf))) as Agreement[];
}

/** Name a partner. */
export const addPartner = async (name: string) => dataOf(await service.POST("/partners", { body: { name } }));

/** What somebody is called of whom only the id is at hand. */
export function nameOf(partners: readonly Partner[], id: string): string {
  return partners.find((partner) => partner.id === id)?.name ?? id.slice(0, 8);
}

export type Force = "in_force" | "run_out" | "ended";

/** Whether an agreement counts at that moment. */
export function forceOf(agreement: Agreement, now = serviceNow()): Force {
  if (agreement.ended !== null) return "ended";
  const until = agreement.terms.valid_until ?? null;
  return until !== null && Date.parse(until) <= now ? "run_out" : "in_force";
}
