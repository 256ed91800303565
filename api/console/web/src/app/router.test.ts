import { beforeEach, describe, expect, it, vi } from "vitest";

const told: (() => void)[] = [];

/** The address bar: what is put there is told of later, as browsers do. */
const bar = { hash: "#/share" };

beforeEach(async () => {
  vi.resetModules();
  told.length = 0;
  bar.hash = "#/share";
  vi.stubGlobal("location", bar);
  vi.stubGlobal("addEventListener", (_kind: string, tell: () => void) => told.push(tell));
  vi.stubGlobal("history", {
    replaceState: (_state: unknown, _title: string, address: string) => {
      bar.hash = address;
    },
  });
});

describe("the place of the page", () => {
  it("is put right in place, of which nothing tells", async () => {
    const { go, place } = await import("./router");
    go("#/share/releases", true);
    expect(bar.hash).toBe("#/share/releases");
    expect(place.value.parts).toEqual(["releases"]);
  });

  it.each(["%", "%E0%A4"])("is one that there is not where an address was cut: %s", async (cut) => {
    bar.hash = `#/fly/${cut}`;
    const { place } = await import("./router");
    expect(place.value).toMatchObject({ view: "fly", parts: [cut] });
  });

  it("is left to whoever has gone elsewhere meanwhile", async () => {
    const { go, place } = await import("./router");
    bar.hash = "#/account/keys";
    go("#/share/releases", true);
    expect(bar.hash).toBe("#/account/keys");
    for (const tell of told) tell();
    expect(place.value).toMatchObject({ view: "account", parts: ["keys"] });
  });
});
