/** Members of what came from outside, read one by one: what is not there, or is not what it should be, is not known. */

export type Members = Readonly<Record<string, unknown>>;

/** A value's members; none where it is no object. */
export function members(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

/** A value's items; none where it is no array. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A value that is a number. */
export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A value that is a text with something in it. */
export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
