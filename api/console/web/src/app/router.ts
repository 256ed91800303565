/** Where the page is: `#/view/id?name=value`, so that a view can be kept, sent, and come back to. */

import { computed, signal } from "@preact/signals";

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

export interface Place {
  /** The first part: which view. */
  view: string;
  /** The parts that follow. */
  parts: readonly string[];
  query: URLSearchParams;
}

export const place = computed<Place>(() => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split("?");
  const [view = "", ...parts] = path.split("/").map(decoded);
  return { view, parts: parts.filter((part) => part !== ""), query: new URLSearchParams(query) };
});

/** An address that was cut, `%E0%`, is a place that there is not, and no reason to show nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a place in the page. */
export function to(view: string, parts: readonly string[] = [], query: Record<string, string> = {}): string {
  const path = [view, ...parts].map(encodeURIComponent).join("/");
  const asked = new URLSearchParams(query).toString();
  return `#/${path}${asked === "" ? "" : `?${asked}`}`;
}

/** Go there; `quietly` puts it in the stead of the place before, unless that has been left. */
export function go(address: string, quietly = false): void {
  if (quietly) {
    if (location.hash !== hash.value) return; // somebody went elsewhere, of which the page has yet to be told
    history.replaceState(null, "", address);
    hash.value = location.hash;
  } else {
    location.hash = address;
  }
}
