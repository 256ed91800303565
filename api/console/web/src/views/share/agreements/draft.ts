/** An agreement as it is being written: it stays when the page is left for another, or the connection is lost. */

import { computed, signal } from "@preact/signals";
import type { Schemas } from "../../../api/client";
import { type Area, readArea } from "./area";

export type Terms = Schemas["AgreementTerms"];

export const RECORDS = ["crossing", "cue", "segment", "plan", "sortie", "vehicle", "sensor"] as const;
export const KINDS = ["person", "vehicle", "bicycle"] as const;
export const SENSITIVITIES = ["clear", "green", "amber", "red"] as const;
export const MEDIA = ["blurred", "redacted", "original"] as const;
export const FIELDS = [
  "kind",
  "direction",
  "status",
  "method",
  "position",
  "ellipse",
  "track",
  "border",
  "confidence",
  "model",
  "source",
  "clip",
  "camera",
  "video",
  "live",
] as const satisfies readonly Schemas["ReleaseField"][];
export const UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const;

type Unit = keyof typeof UNITS;

export const draft = {
  partner: signal(""),
  records: signal<readonly (typeof RECORDS)[number][]>(["crossing"]),
  kinds: signal<readonly (typeof KINDS)[number][]>([...KINDS]),
  purposes: signal(""),
  markings: signal(""),
  sensitivities: signal<readonly (typeof SENSITIVITIES)[number][]>(["clear", "green", "amber"]),
  fields: signal<readonly (typeof FIELDS)[number][]>(["kind", "position"]),
  media: signal<(typeof MEDIA)[number]>("blurred"),
  everywhere: signal<"everywhere" | "area">("area"),
  area: signal<Area | null>(null),
  /** As it was pasted, though it may be no area. */
  areaText: signal(""),
  delay: signal("0"),
  unit: signal<Unit>("hours"),
  until: signal(""),
  subscriptions: signal(false),
};

/** Take what was pasted or read from a file; what is wrong with it, or null. */
export function takeArea(text: string): string | null {
  draft.areaText.value = text;
  const read = readArea(text);
  if ("fault" in read) return read.fault;
  draft.area.value = read.area;
  return null;
}

/** Begin anew. */
export function clearDraft(): void {
  draft.partner.value = "";
  draft.purposes.value = "";
  draft.markings.value = "";
  draft.area.value = null;
  draft.areaText.value = "";
  draft.delay.value = "0";
  draft.until.value = "";
  draft.subscriptions.value = false;
}

/** What the draft says; an area that is still to be drawn is none yet, see {@link lacksArea}. */
export const terms = computed<Terms>(() => ({
  partner_id: draft.partner.value,
  records: [...draft.records.value],
  kinds: [...draft.kinds.value],
  purposes: lines(draft.purposes.value),
  markings: lines(draft.markings.value),
  sensitivities: [...draft.sensitivities.value],
  fields: [...draft.fields.value],
  media: draft.media.value,
  area: draft.everywhere.value === "everywhere" ? null : draft.area.value,
  delay_s: Math.round(Number(draft.delay.value) * UNITS[draft.unit.value]),
  valid_until: draft.until.value === "" ? null : new Date(draft.until.value).toISOString(),
  subscriptions: draft.subscriptions.value,
}));

/** An agreement without an area is for everywhere: one that was to have an area is not sent without. */
export const lacksArea = computed(() => draft.everywhere.value === "area" && draft.area.value === null);

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
