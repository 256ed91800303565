export function Timeline(_: { shift: import("./planning").Result["shift"] }) {
  return null;
}
