/** Limits of the planner's own that somebody may set otherwise, as the service names them; it says what each may be. */

/** The unit of each. */
export const OPTIONS = {
  floor_agl_m: "m",
  patrol_ceiling_agl_m: "m",
  ceiling_agl_m: "m",
  layer_m: "m",
  dwell_s: "s",
  gsd_m: "m/px",
  overlap: "0–0.95",
  picture_s: "s",
  margin_m: "m",
  fence_m: "m",
  zone_margin_m: "m",
  separation_m: "m",
  separation_up_m: "m",
  launch_interval_s: "s",
} as const;
export type Option = keyof typeof OPTIONS;
/** Null, and absent, for the planner's own. */
export type Options = Readonly<Partial<Record<Option, number | null>>>;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly Option[];

/** Those that are set. */
export function setOf(options: Options): Partial<Record<Option, number>> {
  const set = OPTION_NAMES.flatMap((name) => {
    const figure = options[name] ?? null;
    return figure === null ? [] : [[name, figure] as const];
  });
  return Object.fromEntries(set);
}
