/** A refusal of the service (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** What else the service says, a reason each. */
  readonly reasons: readonly string[];

  constructor(status: number, detail: string, reasons: readonly string[] = []) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.reasons = reasons;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether somebody else changed the record meanwhile, so that it has to be read again. */
  get stale(): boolean {
    return this.status === 412 || this.status === 409;
  }
}

/** How the service refuses; a proxy or a network in between has pages of its own. */
const MEDIA_TYPE = "application/problem+json";
const OWN_TYPES = "urn:vedette:problem:";
export const OUT_OF_REACH = "the service cannot be reached";
const NOT_THE_SERVICE = "what answered is not the service: a network may ask for a login of its own";

interface Told {
  type?: string;
  detail?: string | null;
  title?: string;
  reasons?: string[];
  errors?: { pointer?: string; detail?: string }[];
}

/** Whether a response looks like the service's own refusal, by its head. */
export function isRefusal(response: Response): boolean {
  return !response.ok && (response.headers.get("Content-Type") ?? "").startsWith(MEDIA_TYPE);
}

/** What a response says that is no success: the service's refusal, or a {@link strangerOf}. */
export async function refusalOf(response: Response): Promise<Problem> {
  const told: unknown = isRefusal(response) ? await response.json().catch(() => null) : null;
  return isOwn(told) ? problemOf(response.status, told) : strangerOf(response.status);
}

/**
 * That something else than the service has answered, which says nothing of what was asked: it may succeed later as it is.
 *
 * @param status what it answered with, where that was no success
 */
export function strangerOf(status?: number): Problem {
  if (status === undefined) return new Problem(0, NOT_THE_SERVICE);
  const away = new Problem(status, `${OUT_OF_REACH} (HTTP ${status})`); // as a proxy says that nobody answers it
  return away.passing ? away : new Problem(0, `${NOT_THE_SERVICE} (HTTP ${status})`);
}

function isOwn(told: unknown): boolean {
  const { type } = (typeof told === "object" && told !== null ? told : {}) as Told;
  return typeof type === "string" && type.startsWith(OWN_TYPES);
}

/** The problem that a refused response tells of: what is wrong at which member, where the service says that. */
export function problemOf(status: number, told: unknown): Problem {
  const problem = (typeof told === "object" && told !== null ? told : {}) as Told;
  const [first, ...more] = (problem.errors ?? []).map(faultText);
  const detail = first ?? problem.detail ?? problem.title ?? `HTTP ${status}`;
  return new Problem(status, detail, [...(problem.reasons ?? []), ...more]);
}

function faultText(fault: { pointer?: string; detail?: string }): string {
  const member = (fault.pointer ?? "").replace(/^#\/?(body|query|path|header)?\/?/, "").replaceAll("/", ".");
  const what = (fault.detail ?? "").replace(/^Value error, /, "");
  return member === "" ? what : `${member}: ${what}`;
}
