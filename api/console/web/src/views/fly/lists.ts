/** Whole lists of records, a page after another. */

import { ask } from "../../api/client";
import { isObject } from "./records";

const AT_ONCE = 1000;

/**
 * Every record of a collection that `read` makes something of, newest first.
 *
 * @param query as the route takes it
 * @param most the list ends there
 * @throws {Problem} when the service refuses
 */
export async function listOf<T>(
  collection: string,
  read: (feature: unknown) => T | null,
  query: Readonly<Record<string, string>> = {},
  most = 20_000,
): Promise<T[]> {
  const found: T[] = [];
  let path: string | null = `/${collection}?${new URLSearchParams({ limit: String(AT_ONCE), ...query })}`;
  while (path !== null && found.length < most) {
    const page: unknown = await (await ask(path)).json();
    path = null;
    if (!isObject(page)) break;
    for (const feature of listed(page.features)) {
      const one = read(feature);
      if (one !== null) found.push(one);
    }
    const next = listed(page.links).find((link) => isObject(link) && link.rel === "next");
    if (isObject(next) && typeof next.href === "string") {
      const url = new URL(next.href, location.origin);
      path = url.pathname + url.search;
    }
  }
  return found;
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
