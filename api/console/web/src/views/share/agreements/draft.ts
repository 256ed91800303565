/** An agreement as it is being written: it stays when the page is left for another, or the connection is lost. */

import { batch, computed, type Signal, signal } from "@preact/signals";
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

/** What a new agreement says before anybody has written a word: as little as makes sense. */
function usual() {
  return {
    partner: "",
    records: ["crossing"] as readonly (typeof RECORDS)[number][],
    kinds: KINDS as readonly (typeof KINDS)[number][],
    purposes: "",
    markings: "",
    sensitivities: ["clear", "green", "amber"] as readonly (typeof SENSITIVITIES)[number][],
    fields: ["kind", "position"] as readonly (typeof FIELDS)[number][],
    media: "blurred" as (typeof MEDIA)[number],
    everywhere: "area" as "everywhere" | "area",
    area: null as Area | null,
    /** As it was pasted, though it may be no area. */
    areaText: "",
    delay: "0",
    unit: "hours" as keyof typeof UNITS,
    /** RFC 3339; empty until it is ended. */
    until: "",
    subscriptions: false,
  };
}

type Written = ReturnType<typeof usual>;

export const draft = Object.fromEntries(Object.entries(usual()).map(([name, value]) => [name, signal(value)])) as {
  [Name in keyof Written]: Signal<Written[Name]>;
};

/** Take what was pasted or read from a file; what is wrong with it, or null. */
export function takeArea(text: string): string | null {
  draft.areaText.value = text;
  const read = readArea(text);
  if ("fault" in read) return read.fault;
  draft.area.value = read.area;
  return null;
}

/** Begin anew: what one agreement allowed is not carried over into the next. */
export function clearDraft(): void {
  const anew = usual();
  batch(() => {
    for (const name of Object.keys(anew) as (keyof Written)[]) reset(name, anew);
  });
}

function reset<Name extends keyof Written>(name: Name, to: Written): void {
  draft[name].value = to[name];
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
  valid_until: draft.until.value === "" ? null : draft.until.value,
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
