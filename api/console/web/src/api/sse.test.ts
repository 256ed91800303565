import { expect, it } from "vitest";
import { Reader } from "./sse";

const WIRE = [
  "retry: 2000\nid: 40\n\n",
  ": ping\n\n",
  'id: 41\nevent: cue\ndata: {"a":\ndata: 1}\n\n',
  "data:bare\r\n\r\n",
  "event: empty\n\n",
  "unknown\nevent: last\rdata: ü\r\r\n",
  "id: 42\ndata: half",
].join("");

const EVENTS = [
  { kind: "cue", data: '{"a":\n1}' },
  { kind: "message", data: "bare" },
  { kind: "last", data: "ü" },
];

it.each(Array.from({ length: 12 }, (_, n) => n + 1))("reads the same in pieces of %i characters", (size) => {
  const reader = new Reader();
  const told = [];
  for (let at = 0; at < WIRE.length; at += size) told.push(...reader.read(WIRE.slice(at, at + size)));
  expect(told).toEqual(EVENTS);
  expect(reader.last).toBe("41");
});
