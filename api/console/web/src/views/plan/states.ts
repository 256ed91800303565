/** States of a launch, and what they mean to a pilot. */

import type { Launch } from "./launches";

type Standing = Pick<Launch, "state">;

const WAITS: readonly Launch["state"][] = ["given", "taken"];

/** Whether nobody knows yet what comes of it: a pilot waits for that. */
export function waits({ state }: Standing): boolean {
  return WAITS.includes(state);
}

/** Whether it flies, or may come to fly. */
export function isOnItsWay(launch: Standing): boolean {
  return launch.state === "accepted" || waits(launch);
}
