/** What the types of records are called on the page. */

import { t, type Word } from "../i18n";

const WORDS: Readonly<Record<string, Word>> = {
  crossing: "app.type_crossing",
  cue: "app.type_cue",
  segment: "app.type_segment",
  fleet: "app.type_fleet",
  plan: "app.type_plan",
  sortie: "app.type_sortie",
  vehicle: "app.type_vehicle",
  sensor: "app.type_sensor",
};

/** A type in the reader's words; one that the page does not know stays as it is. */
export function typeText(type: string): string {
  const word = WORDS[type];
  return word === undefined ? type : t(word);
}
