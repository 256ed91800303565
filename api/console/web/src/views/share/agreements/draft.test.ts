import { expect, test } from "vitest";
import { clearDraft, draft, KINDS, lacksArea, takeArea, terms } from "./draft";

const AREA = {
  type: "Polygon",
  coordinates: [
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ],
  ],
};

test("nothing that one agreement allowed is carried over into the next", () => {
  const usual = terms.value;
  draft.partner.value = "a";
  draft.records.value = ["vehicle", "sortie"];
  draft.kinds.value = ["person"];
  draft.purposes.value = "search-and-rescue";
  draft.markings.value = "REL BRAVO";
  draft.sensitivities.value = ["red"];
  draft.fields.value = ["track", "clip", "live"];
  draft.media.value = "original";
  takeArea(JSON.stringify(AREA));
  draft.delay.value = "2";
  draft.unit.value = "days";
  draft.until.value = "2030-01-01T00:00:00.000Z";
  draft.subscriptions.value = true;
  for (const [name, value] of Object.entries(terms.value)) {
    expect(value, name).not.toEqual(usual[name as keyof typeof usual]);
  }
  draft.everywhere.value = "everywhere";
  clearDraft();
  expect(terms.value).toEqual(usual);
  expect(lacksArea.value).toBe(true);
  expect(draft.areaText.value).toBe("");
  draft.delay.value = "1";
  expect(terms.value.delay_s).toBe(3600);
  clearDraft();
});

test("what is new is written with an area, for every kind of crossing, with as little of each as helps", () => {
  expect(lacksArea.value).toBe(true);
  expect(terms.value).toMatchObject({
    records: ["crossing"],
    kinds: [...KINDS],
    fields: ["kind", "position"],
    media: "blurred",
    subscriptions: false,
  });
  expect(terms.value.sensitivities).not.toContain("red");
});
