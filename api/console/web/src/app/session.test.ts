import { beforeEach, expect, it, vi } from "vitest";

const reload = vi.fn();
const answers: { path: string; status: number; body: unknown }[] = [];

vi.stubGlobal("location", { origin: "http://service", reload });
vi.stubGlobal("fetch", async (request: Request) => {
  const { path, status, body } = answers.shift() ?? { path: "nothing more", status: 500, body: null };
  expect(new URL(request.url).pathname).toBe(path);
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } });
});

/** What pages tell each other; each is told what the others say. */
const pages: Channel[] = [];
class Channel extends EventTarget {
  constructor() {
    super();
    pages.push(this);
  }

  postMessage(data: unknown): void {
    for (const each of pages) if (each !== this) each.dispatchEvent(new MessageEvent("message", { data }));
  }
}
vi.stubGlobal("BroadcastChannel", Channel);

const who = (id: string) => ({ account_id: id, name: id, csrf: "token", permissions: ["self"] });
const NOBODY = { type: "urn:vedette:problem:unauthenticated" };
const loggedIn = (id: string) => {
  answers.push({ path: "/login", status: 200, body: {} }, { path: "/me", status: 200, body: who(id) });
};

beforeEach(() => {
  vi.resetModules();
  reload.mockReset();
  answers.length = 0;
  pages.length = 0;
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

/** A page that has found out who is there; null for nobody. */
async function pageOf(id: string | null): Promise<typeof import("./session")> {
  vi.resetModules();
  const page = await import("./session");
  answers.push({ path: "/console/configuration", status: 200, body: {} });
  answers.push(id === null ? { path: "/me", status: 401, body: NOBODY } : { path: "/me", status: 200, body: who(id) });
  await page.begin();
  return page;
}

it("a page begins anew once, however much of what it asks is somebody else's", async () => {
  const page = await pageOf("a");
  answers.push({ path: "/me", status: 200, body: who("b") }, { path: "/me", status: 200, body: who("b") });
  await Promise.all([page.look(), page.look()]);
  expect(reload).toHaveBeenCalledTimes(1);
});

it("a page learns at once that another has logged out, and who has come", async () => {
  const page = await pageOf("a");
  const other = await pageOf("a");
  answers.push({ path: "/logout", status: 200, body: {} });
  await other.logOut();
  expect([page.me.value, page.expired.value, reload.mock.calls.length]).toEqual([null, true, 1]);
  pages.pop(); // it begins anew
  const anew = await pageOf(null);
  loggedIn("a");
  answers.push({ path: "/me", status: 200, body: who("a") }); // for the page that is told
  await anew.logIn("a", "", null);
  await vi.waitFor(() => expect(page.me.value).toEqual(who("a")));
  loggedIn("b");
  answers.push({ path: "/me", status: 200, body: who("b") });
  await anew.logIn("b", "", null);
  await vi.waitFor(() => expect(reload).toHaveBeenCalledTimes(3)); // of both: neither goes on as somebody else
  expect(page.me.value).toEqual(who("a"));
});
