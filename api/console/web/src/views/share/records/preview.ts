/** Crossings as a partner would see them, asked of the service before anything is shared. */

import { ask, dataOf, type Page, type Schemas, service } from "../../../api/client";

export type Feature = Schemas["Feature"];
type Preview = Awaited<ReturnType<typeof askPreview>>;
type Under = Preview["agreements"][number];

/** A crossing of our own, and what the partner would see of it. */
export interface Candidate {
  ours: Feature;
  preview: Preview;
}

/** The first page of crossings, newest first, each with its preview. */
export async function askCandidates(partner: string, confirmed: boolean): Promise<Page<Candidate[]>> {
  const query = { limit: 25, ...(confirmed ? { review: "confirmed" as const } : {}) };
  return withPreviews(dataOf(await service.GET("/crossings", { params: { query } })), partner);
}

/** The page that another names. */
export async function followCandidates(path: string, partner: string): Promise<Page<Candidate[]>> {
  return withPreviews((await (await ask(path)).json()) as Schemas["FeatureCollection"], partner);
}

async function withPreviews(found: Schemas["FeatureCollection"], partner: string): Promise<Page<Candidate[]>> {
  const items = await Promise.all(
    found.features.map(async (ours) => ({ ours, preview: await askPreview(ours.id, partner) })),
  );
  return { items, next: found.links.find((link) => link.rel === "next")?.href ?? null };
}

async function askPreview(record: string, partner: string) {
  return dataOf(await service.GET("/preview", { params: { query: { record_id: record, partner_id: partner } } }));
}

/** The agreement under which it would be shared: the first that nothing speaks against, as the service chooses. */
export function coveringOf(preview: Preview): Under | undefined {
  return preview.agreements.find((under) => under.reasons.length === 0);
}

/** Whether it can be released now. */
export function isOpen(candidate: Candidate): boolean {
  return candidate.preview.released === null && coveringOf(candidate.preview) !== undefined;
}
