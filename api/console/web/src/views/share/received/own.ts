import { dataOf, service } from "../../../api/client";

/** Agreements that something came to us under: each record that was shared names its own. */
export async function askOwnAgreements(): Promise<string[]> {
  const found = dataOf(await service.GET("/crossings", { params: { query: { limit: 100 } } }));
  const named = found.features.map((each) => (each.properties as Record<string, unknown>).agreement_id);
  return [...new Set(named.filter((id) => typeof id === "string"))];
}
