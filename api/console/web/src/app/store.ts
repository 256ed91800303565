/**
 * What the browser keeps for the page. Its stores may be full, or closed to pages, and throw then: what is kept lasts as
 * long as the page in that case, and nobody has to ask.
 */

export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem"> & {
  /** Names of all that is kept. */
  names(): readonly string[];
  /** Whether what is kept under a name outlasts the page. */
  outlasts(name: string): boolean;
};

/** For all pages of this browser, until somebody clears it. */
export const browserStore = guarded(() => localStorage);
/** For this tab, until it is closed. */
export const tabStore = guarded(() => sessionStorage);

/** @param real throws where a browser gives pages no store */
export function guarded(real: () => Storage): Store {
  const own = new Map<string, string>();
  const tried = <T>(act: () => T, otherwise: T): T => {
    try {
      return act();
    } catch {
      return otherwise;
    }
  };
  return {
    getItem: (name) => own.get(name) ?? tried(() => real().getItem(name), null),
    setItem(name, text) {
      own.set(name, text);
      const put = () => {
        real().setItem(name, text);
        own.delete(name);
        return true;
      };
      if (tried(put, false)) return;
      // Where there is no room for it, what it comes in place of is not to outlast it; and may have made the room.
      tried(() => real().removeItem(name), undefined);
      tried(put, false);
    },
    removeItem(name) {
      own.delete(name);
      tried(() => real().removeItem(name), undefined);
    },
    names: () => [...new Set([...tried(() => Object.keys(real()), []), ...own.keys()])],
    outlasts: (name) => !own.has(name) && tried(() => real().getItem(name), null) !== null,
  };
}
