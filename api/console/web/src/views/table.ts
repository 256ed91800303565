/** The views of the page: who has them, and where their code is; each is loaded when it is first opened. */

import type { ComponentType } from "preact";
import type { Word } from "../i18n";

export interface View {
  /** First part of its address. */
  name: string;
  title: Word;
  /** It is there for whoever may do one of these. */
  needs: readonly string[];
  load: () => Promise<{ default: ComponentType }>;
}

export const VIEWS: readonly View[] = [
  { name: "plan", title: "plan.title", needs: ["asset.write"], load: () => import("./plan") },
  { name: "fly", title: "fly.title", needs: ["asset.read"], load: () => import("./fly") },
  { name: "review", title: "review.title", needs: ["review.read", "crossing.read"], load: () => import("./review") },
  { name: "share", title: "share.title", needs: ["policy.read", "subscription.read"], load: () => import("./share") },
  {
    name: "account",
    title: "account.title",
    needs: ["self"],
    load: () => import("./account"),
  },
];
