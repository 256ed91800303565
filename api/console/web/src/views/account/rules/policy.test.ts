import { expect, test, vi } from "vitest";
import { draftOf, moved, type Rules, rulesOf } from "./policy";

vi.mock("../../../i18n", () => ({ t: (word: string, values = {}) => [word, ...Object.values(values)].join(" ") }));

const RULES: Rules = {
  severity: [
    { severity: "alert", kinds: ["person"], directions: ["inbound"], min_confidence: 0.5 },
    { severity: "detection", purposes: ["border-surveillance", "search and rescue"], markings: ["REL BRAVO"] },
    { severity: "alert" },
  ],
  two_people: [
    { kinds: ["vehicle", "bicycle"], statuses: ["confirmed"], severities: ["alert"] },
    { purposes: ["smuggling, arms"], markings: ["SECRET//REL TO USA, GBR", "REL BRAVO"] },
    {},
  ],
};

test("rules that are not touched come back as they were", () => {
  expect(rulesOf(RULES.severity.map(draftOf), RULES.two_people.map(draftOf))).toEqual(RULES);
});

test("what the service writes as null is what is left open", () => {
  const rule = { severity: "alert", kinds: null, directions: null, min_confidence: null } as const;
  expect(rulesOf([draftOf(rule)], [])).toEqual({ severity: [{ severity: "alert" }], two_people: [] });
});

test("a rule that is for no crossing is not made one for every crossing", () => {
  const severity = [{ severity: "alert", kinds: [] }] as const;
  const two_people = [{ markings: [] }, { severities: [] }];
  const rules = rulesOf(
    severity.map((each) => draftOf({ ...each, kinds: [...each.kinds] })),
    two_people.map(draftOf),
  );
  expect(rules).toEqual({ severity, two_people });
});

test.each(["1.1", "-0.1", "half"])("%s is no confidence", (written) => {
  const draft = draftOf();
  draft.confidence.value = written;
  expect(() => rulesOf([draft], [])).toThrow(`account.no_confidence ${written}`);
});

test("a rule is moved among the others, and nowhere else", () => {
  expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 0, -1)).toEqual(["a", "b", "c"]);
  expect(moved(["a", "b", "c"], 2, 1)).toEqual(["a", "b", "c"]);
});
