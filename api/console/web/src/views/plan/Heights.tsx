import { useRef } from "preact/hooks";
import { t } from "../../i18n";
import { AsTable } from "./AsTable";
import { between, ticks } from "./chart";
import { pointedAt, pointedM, sortie } from "./chosen";
import { alongM, placeAt } from "./geometry";
import type { Result } from "./planning";
import { measure, wayOf } from "./ResultLayers";
import { height, metres } from "./units";

type Profile = Result["profiles"][number];

const WIDE = 960;
const TALL = 210;
const LEFT = 58;
const BOTTOM = 24;
const TOP = 8;

/** Heights of a sortie over the ground: the pointer marks the same place here and on the map. */
export function Heights({ result }: { result: Result }) {
  const profile = result.profiles.find((one) => one.sortie === sortie.value) ?? result.profiles[0];
  if (profile === undefined) return <p>{t("app.none")}</p>;
  return (
    <>
      <div class="row">
        <label>
          {t("plan.sortie")}
          <select
            value={profile.sortie}
            onChange={(event) => {
              sortie.value = event.currentTarget.value;
            }}
          >
            {result.profiles.map((one) => (
              <option key={one.sortie} value={one.sortie}>
                {one.sortie}
              </option>
            ))}
          </select>
        </label>
        <p class="reading" aria-live="off">
          {reading(profile)}
        </p>
      </div>
      <Chart profile={profile} result={result} />
      <Table profile={profile} />
    </>
  );
}

function reading(profile: Profile): string {
  const m = pointedM.value;
  if (m === null || sortie.value !== profile.sortie) return t("plan.heights_hint");
  const [amsl, ground] = [
    between(profile.distance_m, profile.amsl_m, m),
    between(profile.distance_m, profile.ground_m, m),
  ];
  return t("plan.heights_at", {
    way: metres(m),
    amsl: height(amsl),
    ground: height(ground),
    agl: height(amsl - ground),
  });
}

function Chart({ profile, result }: { profile: Profile; result: Result }) {
  const drawing = useRef<SVGSVGElement>(null);
  const { distance_m: way, amsl_m: flown, ground_m: ground } = profile;
  const { floor_agl_m: floor, ceiling_agl_m: ceiling } = result.summary;
  const far = way.at(-1) ?? 1;
  const [low, high] = [Math.min(...ground) - 10, Math.max(...flown) + 15];
  const x = (m: number) => LEFT + (m / far) * (WIDE - LEFT - 8);
  const y = (m: number) => TOP + ((high - m) / (high - low)) * (TALL - BOTTOM - TOP);
  const line = (heights: readonly number[], above = 0) =>
    way.map((m, place) => `${x(m).toFixed(1)},${y((heights[place] ?? 0) + above).toFixed(1)}`).join(" ");
  const at = sortie.value === profile.sortie ? pointedM.value : null;

  function point(event: PointerEvent): void {
    const box = drawing.current?.getBoundingClientRect();
    if (box === undefined) return;
    const across = ((event.clientX - box.left) / box.width) * WIDE;
    const m = Math.max(0, Math.min(far, ((across - LEFT) / (WIDE - LEFT - 8)) * far));
    const places = wayOf(result, profile.sortie);
    const along = alongM(places);
    sortie.value = profile.sortie;
    pointedM.value = m;
    pointedAt.value = placeAt(places, along, m / measure(result, profile.sortie, along));
  }
  function leave(): void {
    pointedM.value = null;
    pointedAt.value = null;
  }
  const words = t("plan.heights_words", {
    sortie: profile.sortie,
    way: metres(far),
    low: height(Math.min(...flown)),
    high: height(Math.max(...flown)),
  });
  return (
    <svg
      class="chart heights"
      ref={drawing}
      viewBox={`0 0 ${WIDE} ${TALL}`}
      role="img"
      aria-label={words}
      onPointerMove={point}
      onPointerLeave={leave}
    >
      <title>{words}</title>
      {ticks(low, high, 4).map((m) => (
        <g key={m}>
          <line class="grid" x1={LEFT} x2={WIDE - 8} y1={y(m)} y2={y(m)} />
          <text class="label" x={LEFT - 6} y={y(m) + 4} text-anchor="end">
            {height(m)}
          </text>
        </g>
      ))}
      {ticks(0, far, 8).map((m) => (
        <text class="label" key={m} x={x(m)} y={TALL - 6} text-anchor="middle">
          {metres(m)}
        </text>
      ))}
      <polygon class="ground" points={`${x(0)},${y(low)} ${line(ground)} ${x(far)},${y(low)}`} />
      <polyline class="limit" points={line(ground, ceiling)} />
      <polyline class="limit" points={line(ground, floor)} />
      <polyline class="flown" points={line(flown)} />
      {at !== null && (
        <g>
          <line class="mark" x1={x(at)} x2={x(at)} y1={TOP} y2={TALL - BOTTOM} />
          <circle class="mark-dot" cx={x(at)} cy={y(between(way, flown, at))} r="5" />
        </g>
      )}
      {[ceiling, floor].map((m) => (
        <text class="label" key={m} x={WIDE - 12} y={y((ground.at(-1) ?? 0) + m) - 4} text-anchor="end">
          {t("plan.agl_limit", { m })}
        </text>
      ))}
    </svg>
  );
}

const ROWS = 40;

/** The same as figures. */
function Table({ profile }: { profile: Profile }) {
  const every = Math.max(1, Math.ceil(profile.distance_m.length / ROWS));
  return (
    <AsTable heads={[t("plan.way"), t("plan.over_sea"), t("plan.ground"), t("plan.over_ground")]}>
      {profile.distance_m.map((m, place) => {
        if (place % every !== 0) return null;
        const [amsl, ground] = [profile.amsl_m[place] ?? 0, profile.ground_m[place] ?? 0];
        return (
          <tr key={place}>
            <th scope="row">{metres(m)}</th>
            <td>{height(amsl)}</td>
            <td>{height(ground)}</td>
            <td>{height(amsl - ground)}</td>
          </tr>
        );
      })}
    </AsTable>
  );
}
