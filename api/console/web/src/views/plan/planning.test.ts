import { expect, test, vi } from "vitest";
import { askFor, before, open, planning, putAway } from "./planning";

const there = vi.hoisted(() => new Map<string, object>());
vi.mock("../../api/client", () => ({
  dataOf: ({ data }: { data: unknown }) => data,
  service: {
    GET: (_: string, { params }: { params: { path: { planning_id: string } } }) =>
      Promise.resolve({ data: there.get(params.path.planning_id) }),
    POST: () => Promise.resolve({ data: there.get("second") }),
  },
}));
vi.mock("./storage", () => ({ keep: () => undefined, kept: () => null }));

test("a planning that gave nothing is put away: the plan before it is shown again, then none", async () => {
  there.set("first", { id: "first", state: "done", result: {} });
  there.set("second", { id: "second", state: "cancelled", result: null });
  open("first");
  await vi.waitFor(() => expect(planning.value?.state).toBe("done"));
  await askFor({} as Parameters<typeof askFor>[0]);
  await vi.waitFor(() => expect(planning.value).toEqual(there.get("second")));
  putAway();
  expect([planning.value?.id, before.value]).toEqual(["first", null]);
  await vi.waitFor(() => expect(planning.value).toBe(there.get("first")));
  putAway();
  expect(planning.value).toBeNull();
});
