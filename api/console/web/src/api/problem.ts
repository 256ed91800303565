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
  detail?: string;
  title?: string;
  reasons?: string[];
  errors?: { loc?: unknown[]; msg?: string }[];
}

/** The problem that a refused response tells of. */
export function problemOf(status: number, told: unknown): Problem {
  const problem = (typeof told === "object" && told !== null ? told : {}) as Told;
  const faults = (problem.errors ?? []).map((fault) => `${(fault.loc ?? []).join(".")}: ${fault.msg ?? ""}`);
  return new Problem(status, problem.detail ?? problem.title ?? `HTTP ${status}`, [
    ...(problem.reasons ?? []),
    ...faults,
  ]);
}
