import { expect, test } from "vitest";
import { problemOf } from "./problem";

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
