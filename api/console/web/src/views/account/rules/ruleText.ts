/** Rules of review in words. */

import { t, type Word } from "../../../i18n";
import type { Rule } from "./policy";

const KNOWN: Readonly<Record<string, Word>> = {
  alert: "review.alert",
  detection: "review.detection",
  person: "review.kind_person",
  vehicle: "review.kind_vehicle",
  bicycle: "review.kind_bicycle",
  inbound: "review.inbound",
  outbound: "review.outbound",
  confirmed: "account.status_confirmed",
  probable: "account.status_probable",
};
const MEMBERS = [
  ["kinds", "account.rule_kinds"],
  ["directions", "account.rule_directions"],
  ["statuses", "account.rule_statuses"],
  ["severities", "account.rule_severities"],
  ["purposes", "account.rule_purposes"],
  ["markings", "account.rule_markings"],
  ["min_confidence", "account.rule_min_confidence"],
] as const;

/** What a name of the service is called. */
export function ruleText(name: string): string {
  const word = KNOWN[name];
  return word === undefined ? name : t(word);
}

/** Which crossings a rule is for. */
export function selectedText(rule: Rule): string {
  const members: Readonly<Record<string, unknown>> = rule;
  const parts = MEMBERS.flatMap(([name, word]) => {
    const value = members[name];
    if (value == null) return [];
    if (!Array.isArray(value)) return [`${t(word)}: ${String(value)}`];
    const said = value.length === 0 ? t("app.none") : value.map((each) => ruleText(String(each))).join(", ");
    return [`${t(word)}: ${said}`];
  });
  return parts.length === 0 ? t("account.every_crossing") : parts.join("; ");
}
