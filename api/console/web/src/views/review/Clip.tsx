import { useEffect, useRef, useState } from "preact/hooks";
import { theme } from "../../app/preferences";
import { t } from "../../i18n";
import { report } from "../../ui/failure";
import { shortcut, useKeys } from "../../ui/keys";
import { timeText } from "../../ui/Time";
import type { Crossing } from "./crossing";
import { moment } from "./details";
import { type Evidence, evidenceKey, openEvidence } from "./evidence";
import { paint } from "./paint";
import { Pace } from "./player";
import { hide, show } from "./shown";

const SPEEDS: readonly number[] = [0.25, 0.5, 1, 2, 4];

/** The clip of a crossing with the boxes of its tracks, and where it is in time. */
export function Clip({ crossing }: { crossing: Crossing }) {
  const key = evidenceKey(crossing);
  const [got, setGot] = useState<{ key: string; evidence: Evidence | null } | null>(null);
  const [tried, setTried] = useState(0);
  useEffect(() => {
    let left = false;
    openEvidence(crossing)
      .then((evidence) => !left && setGot({ key, evidence }))
      .catch((error) => {
        if (left) return;
        report(error);
        setGot({ key, evidence: null });
      });
    return () => {
      left = true;
      hide();
    };
  }, [key, tried]);
  if (got === null) return <p class="nothing">{t("app.loading")}</p>;
  const { evidence } = got;
  const onShown = () => show(got.key);
  const again = () => {
    setGot(null);
    setTried(tried + 1);
  };
  if (evidence === null) return <Missing onShown={onShown} onAgain={again} />;
  if (evidence.clip === null)
    return <Still key={got.key} evidence={evidence} word={t("review.no_clip")} onShown={onShown} />;
  return <Player key={got.key} evidence={evidence} src={evidence.clip} crossing={crossing} onShown={onShown} />;
}

/** It could not be fetched: whoever judges it all the same knows that. */
function Missing({ onShown, onAgain }: { onShown: () => void; onAgain: () => void }) {
  useEffect(onShown, []);
  return (
    <p class="nothing" role="status">
      {t("review.clip_failed")}{" "}
      <button type="button" onClick={onAgain}>
        {t("app.again")}
      </button>
    </p>
  );
}

/** The picture of the moment, where there is no clip that plays here. */
function Still({ evidence, word, onShown }: { evidence: Evidence; word: string; onShown: () => void }) {
  useEffect(() => {
    if (evidence.picture === null) onShown();
  }, []);
  return (
    <div class="still">
      {evidence.picture !== null && (
        <img src={evidence.picture} alt={t("review.picture")} onLoad={onShown} onError={onShown} />
      )}
      <p class="nothing" role="status">
        {word}{" "}
        {evidence.download !== null && (
          <a href={evidence.download} download>
            {t("review.download")}
          </a>
        )}
      </p>
    </div>
  );
}

interface PlayerProps {
  evidence: Evidence;
  src: string;
  crossing: Crossing;
  onShown: () => void;
}

function Player({ evidence, src, crossing, onShown }: PlayerProps) {
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [broken, setBroken] = useState(false);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [looping, setLooping] = useState(true);
  const [close, setClose] = useState(false);
  const [second, setSecond] = useState(0);
  const [length, setLength] = useState(0);
  const zoomed = useRef(close);
  zoomed.current = close;
  const tone = theme.value;
  const { time } = evidence;

  useEffect(() => {
    const player = video.current;
    if (player === null) return;
    const pace = new Pace(player, (at, exact) => {
      const when = time === null ? null : time.start + at * 1000;
      if (canvas.current !== null && stage.current !== null)
        paint(canvas.current, stage.current, player, evidence.tracks, when, zoomed.current);
      if (!exact) return;
      moment.value = when;
      setSecond(at);
    });
    return () => pace.stop();
  }, [src, tone, close]);

  useEffect(() => {
    if (video.current !== null) video.current.playbackRate = speed;
  }, [speed]);

  function toggle(): void {
    const player = video.current;
    if (player === null) return;
    if (player.paused) player.play().catch(report);
    else player.pause();
  }

  /** To the middle of a picture's time: to its edge, a player may show the one before. */
  function step(by: number): void {
    const player = video.current;
    if (player === null) return;
    player.pause();
    const each = time?.step ?? 0.04;
    const picture = Math.floor(player.currentTime / each + 1e-6) + by;
    player.currentTime = Math.max(0, Math.min(player.duration, (picture + 0.5) * each));
  }

  function seek(to: number): void {
    if (video.current !== null) video.current.currentTime = to;
  }

  const faster = (by: number) => {
    const at = SPEEDS.indexOf(speed);
    setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] ?? 1);
  };

  useKeys([
    { key: " ", word: "review.key_play", act: toggle },
    { key: ",", word: "review.key_back", act: () => step(-1), repeats: true },
    { key: ".", word: "review.key_on", act: () => step(1), repeats: true },
    { key: "-", word: "review.key_slower", act: () => faster(-1) },
    { key: "+", word: "review.key_faster", act: () => faster(1) },
    { key: "z", word: "review.key_close", act: () => setClose(!close) },
    { key: "l", word: "review.key_loop", act: () => setLooping(!looping) },
  ]);

  if (broken) return <Still evidence={evidence} word={t("review.clip_broken")} onShown={onShown} />;
  const when = time === null ? null : new Date(time.start + second * 1000).toISOString();
  const mark = time === null || length === 0 ? null : (Date.parse(crossing.time) - time.start) / 1000 / length;
  return (
    <div class="player">
      <div class="screen">
        {/* Pictures are dark whatever the theme: what is drawn on them is bright. */}
        <div class="stage" ref={stage} data-theme={tone === "night" ? "night" : "dark"}>
          <video
            ref={video}
            src={src}
            muted
            playsInline
            loop={looping}
            autoPlay={!matchMedia("(prefers-reduced-motion: reduce)").matches}
            aria-label={t("review.clip")}
            onPlay={() => setPlaying(true)}
            onPause={() => setPlaying(false)}
            onLoadedMetadata={(event) => {
              setLength(event.currentTarget.duration);
              event.currentTarget.playbackRate = speed;
            }}
            onLoadedData={onShown}
            onError={() => setBroken(true)}
          />
          <canvas ref={canvas} />
        </div>
      </div>
      <div class="controls">
        <button type="button" onClick={() => step(-1)} aria-label={t("review.key_back")} title={shortcut(",")}>
          ‹
        </button>
        <button type="button" class="play" onClick={toggle} title={t("app.key_space")}>
          {t(playing ? "review.pause" : "review.play")}
        </button>
        <button type="button" onClick={() => step(1)} aria-label={t("review.key_on")} title={shortcut(".")}>
          ›
        </button>
        <span class="scrub">
          <input
            type="range"
            min={0}
            max={length}
            step={time?.step ?? 0.04}
            value={second}
            aria-label={t("review.scrub")}
            aria-valuetext={when === null ? undefined : timeText(when, false)}
            onInput={(event) => seek(event.currentTarget.valueAsNumber)}
          />
          {mark !== null && mark >= 0 && mark <= 1 && (
            <span class="mark" style={{ insetInlineStart: `${mark * 100}%` }} title={t("review.at_the_line")} />
          )}
        </span>
        <output class="clock">{when === null ? second.toFixed(2) : hundredths(when)}</output>
        <select
          aria-label={t("review.speed")}
          value={speed}
          onChange={(event) => setSpeed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map((each) => (
            <option key={each} value={each}>
              {each}×
            </option>
          ))}
        </select>
        <button type="button" aria-pressed={looping} onClick={() => setLooping(!looping)} title={shortcut("l")}>
          {t("review.loop")}
        </button>
        <button type="button" aria-pressed={close} onClick={() => setClose(!close)} title={shortcut("z")}>
          {t("review.close_up")}
        </button>
      </div>
    </div>
  );
}

/** A moment of the clip in the reader's clock, to a hundredth of a second. */
function hundredths(at: string): string {
  const text = timeText(at, false);
  return text.replace(/^(\d\d:\d\d:\d\d)/, `$1.${at.slice(20, 22)}`);
}
