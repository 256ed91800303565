/** The rules of review, as an administrator writes them. */

import type { Schemas } from "../../../api/client";

export type Policy = Schemas["PolicyIn"];
export type Rules = Pick<Policy, "severity" | "two_people">;

const MEMBERS = ["severity", "two_people"] as const;

/** The rules as a text that can be changed; what is not set is left out. */
export function rulesText({ severity, two_people }: Policy): string {
  return JSON.stringify({ severity, two_people }, (_, value: unknown) => value ?? undefined, 2);
}

/**
 * The rules that a text says. Both lists have to be there, though they may be empty: the service takes one that is
 * missing for the usual one, and nobody removes the rules for two people by leaving out a word.
 *
 * @throws {Error} when it is no JSON, or a list is missing
 */
export function readRules(text: string): Rules {
  const read: unknown = JSON.parse(text);
  const members = (typeof read === "object" && read !== null ? read : {}) as Record<string, unknown>;
  for (const name of MEMBERS) {
    if (!Array.isArray(members[name])) throw new Error(`${name} is missing: write both lists, [] for none`);
  }
  // Of what the rules are made, the service says.
  return read as Rules;
}
