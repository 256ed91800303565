import { expect, test } from "vitest";
import { problemOf, refusalOf } from "./problem";

test("what is wrong is said at its member, the first as the message", () => {
  const problem = problemOf(422, {
    title: "The request does not fit",
    detail: "#/body/terms/delay_s: Input should be greater than 0",
    errors: [
      { pointer: "#/body/terms/delay_s", detail: "Input should be greater than 0" },
      { pointer: "#/body", detail: "Value error, what is live cannot be held back" },
    ],
  });
  expect(problem.message).toBe("terms.delay_s: Input should be greater than 0");
  expect(problem.reasons).toEqual(["what is live cannot be held back"]);
});

test.each([
  [{ detail: "gone" }, "gone"],
  [{ title: "Not found", detail: null }, "Not found"],
  [null, "HTTP 502"],
  ["<html>", "HTTP 502"],
])("an answer of any kind has words: %j", (told, words) => {
  expect(problemOf(502, told).message).toBe(words);
});

const JSON_PROBLEM = "application/problem+json";
const OWN = '{"type":"urn:vedette:problem:claimed","detail":"claimed by Ben"}';

test.each([
  ["the service's own", JSON_PROBLEM, OWN, 409, "claimed by Ben", false],
  ["a page of a proxy", "text/html", "<h1>Forbidden</h1>", 0, "not the service", true],
  ["a problem of a gateway's", JSON_PROBLEM, '{"type":"about:blank","detail":"blocked"}', 0, "not the service", true],
  ["half of one", JSON_PROBLEM, OWN.slice(0, 40), 0, "not the service", true],
])("a refusal counts where it is the service's: %s", async (_, type, body, status, words, passing) => {
  const refusal = await refusalOf(new Response(body, { status: 409, headers: { "Content-Type": type } }));
  expect([refusal.status, refusal.passing]).toEqual([status, passing]);
  expect(refusal.message).toContain(words);
});
