import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { report } from "../../ui/failure";
import { Place } from "../../ui/Place";
import { Time } from "../../ui/Time";
import type { Crossing } from "./crossing";
import { choose, chosen, outbox } from "./desk";
import { thumbnailOf } from "./evidence";
import { Preview } from "./Preview";
import { named } from "./words";
import { type Item, items, loaded, loading, loadMore, more } from "./worklist";

/** Height of a row as the style sheet has it, pixels. */
const ROW = 92;
const BEYOND = 4;
/** Of degrees: ten metres, and a row holds it whole. */
const DECIMALS = 4;
const HOVER = 250;
/** So long the pointer may be on its way from a row to its preview. */
const LEAVE = 200;

/** The list. Only the rows in view are in the page, however long it is. */
export function List() {
  const scroller = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ from: 0, to: 12 });
  const [hovered, setHovered] = useState<{ item: Item; top: number } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const all = items.value;
  const selected = chosen.value;
  const at = all.findIndex((item) => item.crossing.id === selected);

  function look(): void {
    const seen = scroller.current;
    if (seen === null) return;
    const from = Math.max(0, Math.floor(seen.scrollTop / ROW) - BEYOND);
    const to = Math.ceil((seen.scrollTop + seen.clientHeight) / ROW) + BEYOND;
    setWindow((before) => (before.from === from && before.to === to ? before : { from, to }));
    if (more.peek() && to >= all.length) loadMore().catch(report);
  }

  useEffect(look, [all.length]);
  useEffect(() => {
    const seen = scroller.current;
    if (seen === null) return;
    const watched = new ResizeObserver(look);
    watched.observe(seen);
    return () => watched.disconnect();
  }, []);
  useEffect(() => {
    const seen = scroller.current;
    if (seen === null || at < 0) return;
    const [top, bottom] = [at * ROW, (at + 1) * ROW];
    if (top < seen.scrollTop) seen.scrollTop = top;
    else if (bottom > seen.scrollTop + seen.clientHeight) seen.scrollTop = bottom - seen.clientHeight;
    look();
  }, [at]);

  function hover(item: Item, row: HTMLElement): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setHovered({ item, top: row.getBoundingClientRect().top }), HOVER);
  }

  const stay = useCallback(() => clearTimeout(timer.current), []);
  const leave = useCallback(() => {
    clearTimeout(timer.current);
    setHovered(null);
  }, []);
  function depart(): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(leave, LEAVE);
  }

  useEffect(() => () => clearTimeout(timer.current), []);

  return (
    <>
      <div
        class="list"
        ref={scroller}
        role="listbox"
        tabIndex={0}
        aria-label={t("review.list")}
        aria-busy={loading.value}
        aria-activedescendant={at >= window.from && at < window.to ? `row-${selected}` : undefined}
        onScroll={() => {
          leave();
          look();
        }}
        onPointerLeave={depart}
      >
        <div role="presentation" style={{ height: `${window.from * ROW}px` }} />
        {all.slice(window.from, window.to).map((item, place) => (
          <Row
            key={item.crossing.id}
            item={item}
            place={window.from + place}
            of={all.length}
            selected={item.crossing.id === selected}
            onHover={hover}
          />
        ))}
        <div role="presentation" style={{ height: `${Math.max(0, all.length - window.to) * ROW}px` }} />
      </div>
      {all.length === 0 && loaded.value && <p class="nothing">{t("review.list_empty")}</p>}
      {hovered !== null && <Preview item={hovered.item} top={hovered.top} onStay={stay} onLeave={leave} />}
    </>
  );
}

interface RowProps {
  item: Item;
  place: number;
  of: number;
  selected: boolean;
  onHover: (item: Item, row: HTMLElement) => void;
}

function Row({ item, place, of, selected, onHover }: RowProps) {
  const { crossing, claim } = item;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the view move in the list
    <div
      id={`row-${crossing.id}`}
      class="item"
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-setsize={more.value ? -1 : of}
      aria-posinset={place + 1}
      onClick={() => choose(crossing.id)}
      onPointerEnter={(event) => event.pointerType === "mouse" && onHover(item, event.currentTarget)}
    >
      <Thumbnail crossing={crossing} />
      <div class="facts">
        <p class="first">
          {item.severity === "alert" && <strong class="alert">{t("review.alert")}</strong>}
          <strong>{crossing.kind === null ? t("review.crossing") : named(crossing.kind)}</strong>
          {crossing.direction !== null && <span>{arrow(crossing.direction)}</span>}
        </p>
        <p>
          <Time at={crossing.time} /> {item.seen === false && <span class="new">{t("review.unseen")}</span>}
        </p>
        <p class="soft">
          {crossing.place === null ? t("review.no_place") : <Place {...crossing.place} decimals={DECIMALS} />}
        </p>
        {/* What others do first: the end of it is cut off where the list is narrow. */}
        <p class="state">
          <State item={item} />
          {claim !== null && (
            <span class={claim.mine ? "mine" : "taken"}>
              {claim.mine ? t("review.claimed_mine") : t("review.claimed_by", { name: claim.by })}
            </span>
          )}
          {crossing.confidence !== null && (
            <span class="soft">{t("review.sure", { percent: Math.round(crossing.confidence * 100) })}</span>
          )}
        </p>
      </div>
    </div>
  );
}

/** How its review stands, in few words. */
function State({ item: { crossing, people } }: { item: Item }) {
  const going = outbox.value?.waiting.value.some((each) => each.record_id === crossing.id);
  if (going) return <span>{t("review.on_its_way")}</span>;
  if (crossing.disputed) return <span class="warn">{t("review.disputed")}</span>;
  if (crossing.first !== null) return <span class="warn">{t("review.needs_second")}</span>;
  if (crossing.state !== null && crossing.state !== "pending") return <span>{named(crossing.state)}</span>;
  return people > 1 ? <span>{t("review.two_people")}</span> : null;
}

function arrow(direction: string): string {
  return `${direction === "inbound" ? "↓" : "↑"} ${named(direction)}`;
}

function Thumbnail({ crossing }: { crossing: Crossing }) {
  const [url, setUrl] = useState<string | null>(null);
  const parts = [...crossing.parts.keys()].join(" ");
  useEffect(() => {
    let left = false;
    // A row that is only scrolled past asks for nothing; one whose picture fails stays without.
    const timer = setTimeout(() => {
      thumbnailOf(crossing)
        .then((made) => !left && setUrl(made))
        .catch(() => undefined);
    }, 80);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [crossing.id, crossing.revision, parts]);
  return url === null ? <div class="thumbnail" /> : <img class="thumbnail" src={url} alt="" />;
}
