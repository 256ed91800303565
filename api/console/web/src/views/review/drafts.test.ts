import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";

const kept = new Map<string, string>();
vi.stubGlobal("sessionStorage", {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, text: string) => kept.set(name, text),
  removeItem: (name: string) => kept.delete(name),
});
const POST = vi.fn();
const GET = vi.fn();
vi.mock("../../api/client", () => ({ service: { POST, GET }, dataOf: ({ data }: { data: unknown }) => data }));
const { draftOf, isGoing, keepDraft, sendDraft } = await import("./drafts");

beforeEach(() => {
  POST.mockReset();
  keepDraft("ana", "a", "a dog");
});

const noted = () => POST.mock.calls.map(([, { body }]) => body.text);

test("a note on its way is sent once and changes nothing begun elsewhere; it is gone when it has arrived", async () => {
  let arrive: () => void = vi.fn();
  POST.mockReturnValueOnce(
    new Promise<void>((go) => {
      arrive = go;
    }),
  );
  const sending = sendDraft("ana", "Ana", "a");
  expect([isGoing("ana", "a"), isGoing("ana", "b"), isGoing("ben", "a")]).toEqual([true, false, false]);
  expect(await sendDraft("ana", "Ana", "a")).toBe(false); // of a form that was opened anew
  keepDraft("ana", "b", "another");
  expect(draftOf("ana", "a")).toBe("a dog");
  arrive();
  expect(await sending).toBe(true);
  expect([isGoing("ana", "a"), draftOf("ana", "a"), draftOf("ana", "b")]).toEqual([false, "", "another"]);
  expect([...kept.values()]).toEqual(["another"]);
  expect(await sendDraft("ana", "Ana", "a")).toBe(false);
  expect(noted()).toEqual(["a dog"]);
});

test("a note of which no answer came is kept, and looked for before it is sent again", async () => {
  POST.mockRejectedValueOnce(new Problem(0, "away"));
  await expect(sendDraft("ana", "Ana", "a")).rejects.toThrow("away");
  expect([isGoing("ana", "a"), draftOf("ana", "a")]).toEqual([false, "a dog"]);
  GET.mockResolvedValueOnce({ data: [{ text: "a dog", author: "Ana" }] });
  expect(await sendDraft("ana", "Ana", "a")).toBe(true);
  expect([noted(), draftOf("ana", "a")]).toEqual([["a dog"], ""]);
});
