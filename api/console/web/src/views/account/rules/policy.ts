/** The rules of review, as an administrator writes them: a form for each rule, in which what is left open allows any. */

import { type Signal, signal } from "@preact/signals";
import type { Schemas } from "../../../api/client";
import { t } from "../../../i18n";

export type Policy = Schemas["PolicyIn"];
export type Rules = Pick<Policy, "severity" | "two_people">;
export type Rule = Rules["severity"][number] | Rules["two_people"][number];
export type Severity = Schemas["SeverityRule"]["severity"];

export const SEVERITIES = ["alert", "detection"] as const satisfies readonly Severity[];
export const KINDS = ["person", "vehicle", "bicycle"] as const;
export const DIRECTIONS = ["inbound", "outbound"] as const;
export const STATUSES = ["confirmed", "probable"] as const;

/** One rule as it is being written. */
export interface DraftRule {
  readonly key: number;
  /** What a crossing that it is for is worth; of no matter where two people are asked for. */
  readonly severity: Signal<Severity>;
  readonly severities: Signal<readonly Severity[]>;
  readonly kinds: Signal<readonly (typeof KINDS)[number][]>;
  readonly directions: Signal<readonly (typeof DIRECTIONS)[number][]>;
  readonly statuses: Signal<readonly (typeof STATUSES)[number][]>;
  /** One a line: a name may have commas, as `REL TO USA, GBR` has. */
  readonly purposes: Signal<string>;
  readonly markings: Signal<string>;
  /** From 0 to 1; empty for any. */
  readonly confidence: Signal<string>;
  /** A rule with an empty list is for no crossing: the form has no word for that, and leaves it as it is. */
  readonly never: Rule | null;
}

let last = 0;

/** A rule as it can be changed; a new one without. */
export function draftOf(rule: Rule = { severity: "alert" }): DraftRule {
  last += 1;
  const { kinds, directions, statuses, purposes, markings, min_confidence } = rule;
  const lists = [kinds, directions, statuses, purposes, markings, severitiesOf(rule)];
  return {
    key: last,
    severity: signal("severity" in rule ? rule.severity : "alert"),
    severities: signal(severitiesOf(rule) ?? []),
    kinds: signal(kinds ?? []),
    directions: signal(directions ?? []),
    statuses: signal(statuses ?? []),
    purposes: signal((purposes ?? []).join("\n")),
    markings: signal((markings ?? []).join("\n")),
    confidence: signal(min_confidence == null ? "" : String(min_confidence)),
    never: lists.some((list) => list?.length === 0) ? rule : null,
  };
}

/**
 * The rules that are written.
 *
 * @throws {Error} where a confidence is none
 */
export function rulesOf(severity: readonly DraftRule[], twoPeople: readonly DraftRule[]): Rules {
  return {
    severity: severity.map((draft) =>
      draft.never !== null && "severity" in draft.never
        ? draft.never
        : { severity: draft.severity.peek(), ...selectorOf(draft) },
    ),
    two_people: twoPeople.map((draft) =>
      draft.never !== null ? draft.never : { ...selectorOf(draft), ...given("severities", draft.severities.peek()) },
    ),
  };
}

function selectorOf(draft: DraftRule): Omit<Schemas["SeverityRule"], "severity"> {
  const written = draft.confidence.peek().trim().replace(",", ".");
  const confidence = Number(written);
  if (!(confidence >= 0 && confidence <= 1)) throw new Error(t("account.no_confidence", { written }));
  return {
    ...given("kinds", draft.kinds.peek()),
    ...given("directions", draft.directions.peek()),
    ...given("statuses", draft.statuses.peek()),
    ...given("purposes", named(draft.purposes.peek())),
    ...given("markings", named(draft.markings.peek())),
    ...(written === "" ? {} : { min_confidence: confidence }),
  };
}

function given<Name extends string, T>(name: Name, all: readonly T[]): { [Each in Name]?: T[] } {
  return all.length === 0 ? {} : ({ [name]: [...all] } as { [Each in Name]?: T[] });
}

function named(written: string): string[] {
  return written
    .split("\n")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function severitiesOf(rule: Rule): Severity[] | null {
  return ("severities" in rule ? rule.severities : null) ?? null;
}

/** The list with one of its items moved so many places; where there is no such place, as it was. */
export function moved<T>(all: readonly T[], place: number, by: number): readonly T[] {
  const item = all[place];
  if (item === undefined || all[place + by] === undefined) return all;
  const left = all.filter((_, each) => each !== place);
  return [...left.slice(0, place + by), item, ...left.slice(place + by)];
}
