import { beforeEach, expect, it, vi } from "vitest";

vi.stubGlobal("location", { origin: "http://service" });

/** What was asked and is not answered yet, by its path. */
const asked = new Map<string, (response: Response) => void>();
vi.stubGlobal("fetch", ({ url, signal }: Request) => {
  const { pathname } = new URL(url);
  return new Promise((yes, no) => {
    asked.set(pathname, yes);
    signal.addEventListener("abort", () => {
      asked.delete(pathname);
      no(signal.reason);
    });
  });
});

const turns = () => new Promise((resolve) => setTimeout(resolve, 0));
const answer = (path: string, headers = {}, status = 200) => asked.get(path)?.(new Response("{}", { headers, status }));

beforeEach(() => {
  vi.resetModules();
  asked.clear();
});

it("a request whose time is over failed, and one that was called off did not", async () => {
  const { ask } = await import("./client");
  await expect(ask("http://service/me", { signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
    name: "Problem",
    status: 0,
  });
  const gone = new AbortController();
  const asked = ask("http://service/me", { signal: gone.signal });
  gone.abort("gone");
  await expect(asked).rejects.toBe("gone");
});

it("what is being read is called off while somebody logs out, and read after all if they stay", async () => {
  const { ask, leave } = await import("./client");
  const read = ask("http://service/partners");
  const wrote = ask("http://service/crossings", { method: "POST" });
  await turns();
  const left = leave(() => ask("http://service/logout", { method: "POST" }));
  const readLater = ask("http://service/vehicles");
  await turns();
  expect([...asked.keys()]).toEqual(["/crossings", "/logout"]); // what is written is never cut off
  answer("/crossings");
  answer("/logout", {}, 503);
  await expect(left).rejects.toMatchObject({ status: 503 });
  await turns();
  answer("/partners");
  answer("/vehicles");
  for (const each of [read, wrote, readLater]) await expect(each).resolves.toMatchObject({ status: 200 });
});

it("is asked nothing and answers nobody once they are gone", async () => {
  const { ask, leave } = await import("./client");
  const ended = vi.fn();
  const read = [ask("http://service/partners"), ask("http://service/vehicles")];
  for (const each of read) void each.then(ended, ended);
  await turns();
  const left = leave(() => ask("http://service/logout", { method: "POST" }));
  await turns();
  answer("/logout");
  await left;
  await turns();
  expect([[...asked.keys()], ended.mock.calls.length]).toEqual([["/logout"], 0]);
});

it("lets no answer in that is another account's, and has the page begin anew", async () => {
  const { ask, useSession, whenSession } = await import("./client");
  const [over, other] = [vi.fn(), vi.fn()];
  whenSession(over, other);
  useSession("token", "mine");
  const mine = ask("http://service/mine");
  const theirs = ask("http://service/theirs");
  await turns();
  answer("/mine", { "X-Vedette-Account": "mine" });
  await expect(mine).resolves.toMatchObject({ status: 200 });
  answer("/theirs", { "X-Vedette-Account": "theirs" });
  await expect(theirs).rejects.toMatchObject({ status: 401 });
  expect([over.mock.calls.length, other.mock.calls.length]).toEqual([0, 1]);
});

it.each([
  ["breaks off", (cut: (why: unknown) => void) => cut(new TypeError("network error"))],
  ["is not at its end in time", (cut: (why: unknown) => void) => cut(new DOMException("", "TimeoutError"))],
])("an answer that %s is none", async (_, end) => {
  const { service } = await import("./client");
  const told = service.GET("/me");
  await turns();
  let cut: (why: unknown) => void = () => undefined;
  const body = new ReadableStream({
    start: (stream) => {
      cut = (why) => stream.error(why);
      stream.enqueue(new TextEncoder().encode('{"name":'));
    },
  });
  asked.get("/me")?.(new Response(body));
  await turns();
  end(cut);
  await expect(told).rejects.toMatchObject({ name: "Problem", status: 0 });
});

it.each([
  ["a page that wants a login", "<!doctype html><title>Welcome</title>"],
  ["half of what was said", '{"name":'],
])("an answer that is %s is not the service's", async (_, text) => {
  const { ask, service } = await import("./client");
  const none = { name: "Problem", status: 0, message: expect.stringContaining("not the service") };
  for (const headers of [{}, { "Content-Length": String(text.length) }]) {
    const told = service.GET("/me");
    const read = ask("http://service/vehicles").then((answer) => answer.json());
    await turns();
    asked.get("/me")?.(new Response(text, { headers }));
    asked.get("/vehicles")?.(new Response(text, { headers }));
    await expect(told).rejects.toMatchObject(none);
    await expect(read).rejects.toMatchObject(none);
  }
});

it.each([
  ["the service has ended it", "application/problem+json", '{"type":"urn:vedette:problem:unauthenticated"}', 401, 1],
  ["a proxy wants a login of its own", "text/html", "<h1>Log in to the network</h1>", 0, 0],
])("a 401 ends the session where %s", async (_, type, body, status, ends) => {
  const { ask, useSession, whenSession } = await import("./client");
  const over = vi.fn();
  whenSession(over, () => undefined);
  useSession("token", "mine");
  const told = ask("http://service/vehicles");
  await turns();
  asked.get("/vehicles")?.(new Response(body, { status: 401, headers: { "Content-Type": type } }));
  await expect(told).rejects.toMatchObject({ name: "Problem", status });
  expect(over).toHaveBeenCalledTimes(ends);
});

it("what has not changed since is no refusal of anybody's", async () => {
  const { ask } = await import("./client");
  const told = ask("http://service/picture");
  await turns();
  asked.get("/picture")?.(new Response(null, { status: 304 }));
  await expect(told).rejects.toMatchObject({ name: "Problem", status: 304 });
});
