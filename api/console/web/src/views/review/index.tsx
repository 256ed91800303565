import "./review.css";
import { useEffect } from "preact/hooks";
import { may, me } from "../../app/session";
import { t } from "../../i18n";
import { report } from "../../ui/failure";
import { shortcut, useKeys } from "../../ui/keys";
import { Shortcut } from "../../ui/Shortcut";
import { Clip } from "./Clip";
import { hold, mayHold } from "./claims";
import { askUndo, choose, chosen, deeds, following, move, sitDown } from "./desk";
import { absent, details, openCrossing, readAgain } from "./details";
import { Asked } from "./dialogs";
import { Facts, headline } from "./Facts";
import { Filters } from "./Filters";
import { follow } from "./follow";
import { GroundMap } from "./GroundMap";
import { History } from "./History";
import { List } from "./List";
import { markSeen } from "./seen";
import { Unsent } from "./Unsent";
import { Verdicts } from "./Verdicts";
import { hasQueue, items, load, loaded, seek } from "./worklist";

/** Crossings: what waits for a verdict, each with its clip, its ground, and what can be done with it. */
export default function Review() {
  const person = me.value?.account_id ?? "";
  const id = chosen.value;
  const known = details.value?.crossing.id === id ? details.value : null;
  const next = following(id);

  useEffect(() => {
    if (person === "") return;
    seek({ which: hasQueue() ? "waiting" : "all" }).catch(report);
    const rise = sitDown(person);
    const stop = follow();
    return () => {
      stop();
      rise();
    };
  }, [person]);

  useEffect(() => {
    if (id === null && loaded.value) choose(following(null));
  }, [id, loaded.value, items.value.length]);

  useEffect(() => {
    openCrossing(id, next).catch(report);
  }, [id, next]);

  useEffect(() => {
    if (id === null || !mayHold()) return;
    return hold(id);
  }, [id, person]);

  useEffect(() => {
    if (known === null || !may("review.read")) return;
    return markSeen(known.crossing);
  }, [known?.crossing.id, known?.crossing.revision]);

  useKeys([
    { key: "j", word: "review.key_next", act: () => move(1), repeats: true },
    { key: "k", word: "review.key_before", act: () => move(-1), repeats: true },
    { key: "ArrowDown", word: "review.key_next", act: () => move(1), repeats: true },
    { key: "ArrowUp", word: "review.key_before", act: () => move(-1), repeats: true },
    { key: "r", word: "review.key_reload", act: () => load().catch(report) },
    { key: "u", word: "review.key_undo", act: askUndo, when: () => deeds.value.length > 0 },
  ]);

  return (
    <div class="reviewing">
      <aside class="waiting" aria-label={t("review.list")}>
        <h1 class="unseen">{t("review.title")}</h1>
        <Filters />
        <List />
      </aside>
      <section class="clip" aria-label={t("review.clip")}>
        {known !== null && <Clip key={known.crossing.id} crossing={known.crossing} />}
      </section>
      <div class="ground">{known !== null && <GroundMap crossing={known.crossing} />}</div>
      <section class="below" aria-label={t("review.judge")}>
        <Unsent />
        {known === null ? (
          <>
            <p class="nothing" role="status">
              {absent.value ?? t(id === null ? "review.none_open" : "app.loading")}{" "}
              {absent.value !== null && (
                <button type="button" onClick={() => readAgain().catch(report)}>
                  {t("app.again")}
                </button>
              )}
            </p>
            {deeds.value.length > 0 && (
              <button type="button" onClick={askUndo} aria-keyshortcuts={shortcut("u")}>
                {t("review.undo")} <Shortcut of="u" />
              </button>
            )}
          </>
        ) : (
          <>
            <h2 aria-live="polite">{headline(known.crossing)}</h2>
            {may("review.read") && <Verdicts known={known} />}
            <div class="columns">
              <Facts crossing={known.crossing} />
              {may("review.read") && <History known={known} />}
            </div>
          </>
        )}
      </section>
      <Asked />
      <NightGlass />
    </div>
  );
}

/** What the style sheet lays over pictures at night: their light in red alone. */
function NightGlass() {
  return (
    <svg class="unseen" width="0" height="0" aria-hidden="true" focusable="false">
      <filter id="review-night" color-interpolation-filters="sRGB">
        <feColorMatrix values="0.21 0.5 0.09 0 0  0.02 0.05 0.01 0 0  0.02 0.04 0.01 0 0  0 0 0 1 0" />
      </filter>
    </svg>
  );
}
