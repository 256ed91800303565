/** Axes of charts. */

/** Round figures from `low` to `high`, about so many. */
export function ticks(low: number, high: number, about: number): number[] {
  const wide = high - low;
  if (!(wide > 0)) return [low];
  const rough = wide / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const found: number[] = [];
  for (let place = Math.ceil(low / step); place * step <= high + step * 1e-9; place += 1) found.push(place * step);
  return found;
}

/** Seconds of a shift, at whole quarters, halves, hours or more. */
export function timeTicks(lengthS: number, most: number): number[] {
  const step = [900, 1800, 3600, 7200, 10_800, 14_400].find((each) => lengthS / each <= most) ?? 21_600;
  return Array.from({ length: Math.floor(lengthS / step) + 1 }, (_, place) => place * step);
}

/** The figure at a place of a series, between its neighbours. */
export function between(xs: readonly number[], ys: readonly number[], x: number): number {
  const after = xs.findIndex((each) => each >= x);
  if (after < 0) return ys.at(-1) ?? 0;
  const [x0, x1, y0, y1] = [xs[after - 1], xs[after], ys[after - 1], ys[after]];
  if (x0 === undefined || y0 === undefined || x1 === undefined || y1 === undefined) return ys[0] ?? 0;
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}
