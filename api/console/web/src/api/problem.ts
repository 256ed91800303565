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

interface Told {
  detail?: string | null;
  title?: string;
  reasons?: string[];
  errors?: { pointer?: string; detail?: string }[];
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
