import { beforeEach, expect, it, vi } from "vitest";

const reload = vi.fn();
const answers: { path: string; status: number; body: unknown }[] = [];

vi.stubGlobal("location", { origin: "http://service", reload });
vi.stubGlobal("fetch", async (request: Request) => {
  const { path, status, body } = answers.shift() ?? { path: "nothing more", status: 500, body: null };
  expect(new URL(request.url).pathname).toBe(path);
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
});

const who = (id: string) => ({ account_id: id, name: id, csrf: "token", permissions: ["self"] });
const loggedIn = (id: string) => {
  answers.push({ path: "/login", status: 200, body: {} }, { path: "/me", status: 200, body: who(id) });
};

beforeEach(() => {
  vi.resetModules();
  reload.mockReset();
  answers.length = 0;
});

it("a page of one account is never gone on with by another", async () => {
  const { logIn, me } = await import("./session");
  loggedIn("a");
  await logIn("a", "", null);
  me.value = null; // the session ended by itself
  loggedIn("a");
  await logIn("a", "", null);
  expect([me.value, reload.mock.calls.length]).toEqual([who("a"), 0]);
  me.value = null;
  loggedIn("b");
  await logIn("b", "", null);
  expect([me.value, reload.mock.calls.length]).toEqual([null, 1]);
});

it("a page begins anew when its session is ended, and not when that fails", async () => {
  const { logOut } = await import("./session");
  answers.push({ path: "/logout", status: 503, body: {} });
  await expect(logOut()).rejects.toThrow();
  expect(reload).not.toHaveBeenCalled();
  answers.push({ path: "/logout", status: 200, body: {} });
  await logOut();
  expect(reload).toHaveBeenCalledTimes(1);
});
