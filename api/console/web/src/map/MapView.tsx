import { type Map as MapLibre, NavigationControl, ScaleControl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { language, theme } from "../app/preferences";
import { t, type Word } from "../i18n";
import { report } from "../ui/failure";
import { LeanMap } from "./lean";
import { loadOperatorMaps, operatorMaps } from "./maps";
import { Pointer } from "./Pointer";
import { wirePMTiles } from "./pmtiles";
import { mapStyle } from "./style";
import { Wanted } from "./Wanted";
import { HAS_WORKERS, wireMapWorker } from "./worker";

/** West, south, east, north; degrees. */
export type Box = [number, number, number, number];

interface Shown {
  map: MapLibre;
  /** Goes up whenever the style was set anew: what was drawn on the map has to be drawn again. */
  turn: number;
}

const Context = createContext<Shown | null>(null);

// As soon as this code is there: the worker starts while the service says who is at the page.
wireMapWorker();
wirePMTiles();

/** The map that is around the caller; null until it can be drawn on, and while it changes its style. */
export function useMap(): Shown | null {
  return useContext(Context);
}

interface Props {
  /** What a screen reader calls it. */
  label: string;
  /** What it shows first. */
  box: Box;
  /** What is drawn on it: components that call {@link useMap}. */
  children?: ComponentChildren;
}

/**
 * A map with the base map of the theme, north up. It remembers nothing: who needs its place asks the map. Where the browser
 * cannot draw one it says what is missing, and the view around it goes on without.
 */
export function MapView({ label, box, children }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  /** Nothing can be drawn while another style is on its way. */
  const [changing, setChanging] = useState(false);
  const [missing, setMissing] = useState<Word | null>(HAS_WORKERS ? null : "app.no_workers");
  const first = useRef(box);
  const drawn = useRef("");
  const wanted = styleOf(theme.value, language.value, operatorMaps.value);
  // From the moment that another is wanted: effects of what is drawn may come after the one that sets it.
  const drawable = changing || drawn.current !== wanted ? null : shown;

  useEffect(() => {
    if (holder.current === null || !HAS_WORKERS) return;
    loadOperatorMaps().catch(report);
    drawn.current = styleOf(theme.peek(), language.peek(), operatorMaps.peek());
    const map = made(holder.current, label, first.current);
    if (map === null) {
      setMissing("app.no_webgl");
      return;
    }
    map.touchZoomRotate.disableRotation();
    map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
    map.on("style.load", () => {
      setChanging(false);
      setShown((before) => ({ map, turn: (before?.turn ?? 0) + 1 }));
    });
    // Without a listener MapLibre writes to the browser's console, which nobody reads.
    map.on("error", ({ error }) => {
      if (error instanceof Error && error.name === "AbortError") return; // what was no longer wanted
      report(new Error(t("app.map_failed", { detail: error.message || String(error) })));
    });
    const seen = new ResizeObserver(() => map.resize().redraw()); // one that is resized is empty until it is drawn
    seen.observe(holder.current);
    return () => {
      seen.disconnect();
      setShown(null);
      map.remove();
    };
  }, [label]);

  useEffect(() => {
    if (shown === null || drawn.current === wanted) return;
    drawn.current = wanted;
    setChanging(true);
    shown.map.setStyle(mapStyle(theme.value, language.value, operatorMaps.value), { diff: false });
  }, [shown, wanted]);

  return (
    <div class="map">
      <div class="canvas" ref={holder} />
      {missing !== null && (
        <p class="missing" role="alert">
          {t("app.no_map")} {t(missing)}
        </p>
      )}
      {shown !== null && (
        <Context.Provider value={drawable}>
          {children}
          <Wanted />
          <Pointer />
        </Context.Provider>
      )}
    </div>
  );
}

/** A map in an element; null where the browser gives it nothing to draw with. */
function made(container: HTMLElement, label: string, bounds: Box): LeanMap | null {
  try {
    return new LeanMap({
      container,
      style: mapStyle(theme.peek(), language.peek(), operatorMaps.peek()),
      bounds,
      fitBoundsOptions: { padding: 40 },
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: { compact: true },
      validateStyle: false, // a test has: at every start it would cost what drawing does
      fadeDuration: 0, // labels that fade in keep the whole map being drawn
      // Tests look at what was drawn.
      canvasContextAttributes: { preserveDrawingBuffer: navigator.webdriver },
      locale: { "Map.Title": label },
    });
  } catch {
    container.replaceChildren(); // what it had begun
    return null;
  }
}

/** What a style hangs on, in words to compare. */
function styleOf(...of: Parameters<typeof mapStyle>): string {
  return JSON.stringify(of);
}
