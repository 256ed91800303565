import { expect, it, vi } from "vitest";

vi.stubGlobal("location", { origin: "http://service" });
// No answer ever comes.
vi.stubGlobal(
  "fetch",
  ({ signal }: Request) => new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason))),
);

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
