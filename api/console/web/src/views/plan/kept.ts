/** Drafts as a browser keeps them: of an older page, or broken, they are none the less drafts. */

import { type Draft, emptyDraft } from "./draft";

/** The draft that a browser kept; members that it lacks, or that are of another kind, are as in an empty one. */
export function readDraft(text: string | null): Draft {
  const empty = emptyDraft();
  const kept = parsed(text);
  const members = Object.entries(empty).map(([name, usual]) => {
    const value = kept[name];
    return [name, value !== undefined && (nullable(usual, value) || alike(usual, value)) ? value : usual];
  });
  return Object.fromEntries(members) as Draft;
}

function parsed(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const alike = (usual: unknown, value: unknown): boolean =>
  typeof usual === typeof value && Array.isArray(usual) === Array.isArray(value) && value !== null;

/** Figures are numbers or null; the camera is an object or null. */
const nullable = (usual: unknown, value: unknown): boolean =>
  value === null
    ? usual === null || typeof usual === "number"
    : usual === null && ["number", "object"].includes(typeof value);
