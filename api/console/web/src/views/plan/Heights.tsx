export function Heights(_: { result: import("./planning").Result }) {
  return null;
}
