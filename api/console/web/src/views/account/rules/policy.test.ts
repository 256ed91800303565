import { expect, test } from "vitest";
import { type Policy, readRules, rulesText } from "./policy";

test.each([
  ['{"severity": []}', "two_people"],
  ['{"two_people": []}', "severity"],
  ['{"severity": [], "two_people": null}', "two_people"],
  ['{"severity": [], "two_people": {}}', "two_people"],
  ["[]", "severity"],
  ["null", "severity"],
])("%s lacks %s", (text, member) => {
  expect(() => readRules(text)).toThrow(`${member} is missing`);
});

test("what is no JSON is none", () => {
  expect(() => readRules('{"severity": [')).toThrow(SyntaxError);
});

test("rules come back as they are written out, without what is not set", () => {
  const policy = {
    severity: [{ severity: "alert", kinds: ["person"], min_confidence: null }],
    two_people: [{ kinds: ["vehicle"], directions: null }],
    claim_s: 900,
    keys_are_people: false,
  } as unknown as Policy;
  expect(readRules(rulesText(policy))).toEqual({
    severity: [{ severity: "alert", kinds: ["person"] }],
    two_people: [{ kinds: ["vehicle"] }],
  });
});
