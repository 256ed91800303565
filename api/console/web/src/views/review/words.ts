/** What the service's own names are called on the page. */

import { t, type Word } from "../../i18n";

const KNOWN: Readonly<Record<string, Word>> = {
  person: "review.kind_person",
  vehicle: "review.kind_vehicle",
  bicycle: "review.kind_bicycle",
  animal: "review.category_animal",
  vegetation: "review.category_vegetation",
  "camera-artefact": "review.category_artefact",
  "authorised-person": "review.category_authorised",
  duplicate: "review.category_duplicate",
  other: "review.category_nothing_of_these",
  inbound: "review.inbound",
  outbound: "review.outbound",
  alert: "review.alert",
  detection: "review.detection",
  pending: "review.state_pending",
  confirmed: "review.state_confirmed",
  dismissed: "review.state_dismissed",
  merged: "review.state_merged",
  confirm: "review.said_confirm",
  dismiss: "review.said_dismiss",
};

/** A name of the service in the reader's words; one that the page does not know stays as it is. */
export function named(name: string): string {
  const word = KNOWN[name];
  return word === undefined ? name : t(word);
}

/** How the detector's error ellipse lay to the line. */
export function clearance(status: string): string {
  if (status === "confirmed") return t("review.clear_of_line");
  return status === "probable" ? t("review.not_clear_of_line") : status;
}
