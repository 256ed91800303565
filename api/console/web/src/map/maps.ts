import { signal } from "@preact/signals";
import { dataOf, service } from "../api/client";
import type { OperatorMap } from "./operator";

/** The operator's maps, in the order in which they lie over each other. */
export const operatorMaps = signal<readonly OperatorMap[]>([]);

/**
 * Ask the service what maps it has.
 *
 * @throws {Problem} when it refuses or cannot be reached
 */
export async function loadOperatorMaps(): Promise<void> {
  const found = dataOf(await service.GET("/maps")) as OperatorMap[];
  if (JSON.stringify(found) !== JSON.stringify(operatorMaps.peek())) operatorMaps.value = found;
}
