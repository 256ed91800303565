/** The hub of one account, in a worker that its pages share: it begins with the first and ends with the last of them. */

import { Hub } from "./hub";

/** What a shared worker has; the compiler knows pages alone. */
const worker = globalThis as unknown as { name: string; onconnect: (event: MessageEvent) => void };

const hub = new Hub(worker.name);
worker.onconnect = ({ ports: [port] }) => {
  if (port !== undefined) hub.join(port);
};
