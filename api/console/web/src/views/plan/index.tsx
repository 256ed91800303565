import "./plan.css";
import "./charts.css";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { boxOf } from "../../map/box";
import { type Box, MapView } from "../../map/MapView";
import { say } from "../../ui/failure";
import { Measure } from "../../ui/measure/Measure";
import { DraftLayers } from "./DraftLayers";
import { emptyDraft } from "./draft";
import { Earlier } from "./Earlier";
import { Editor } from "./Editor";
import { Form } from "./Form";
import { change, draft, lost } from "./history";
import { LayerBox } from "./LayerBox";
import { Progress } from "./Progress";
import { close, planning, reopen, stopWatching } from "./planning";
import { ResultLayers } from "./ResultLayers";
import { ResultPanel } from "./ResultPanel";
import { placesOf, See } from "./See";
import { Toolbar } from "./Toolbar";

/** The whole of the map when nothing is drawn yet. */
const WORLD: Box = [-25, 10, 60, 62];
/** Degrees around what is drawn. */
const AROUND = 0.02;

/** Plan a patrol. Whatever a browser has kept: a new draft can always be begun. */
export default function Plan() {
  const [fault, again] = useErrorBoundary();
  if (fault === undefined) return <Desk />;
  const anew = () => {
    close();
    change(emptyDraft());
    again();
  };
  return (
    <div role="alert" class="broken">
      <p>{t("plan.broken", { why: fault instanceof Error ? fault.message : String(fault) })}</p>
      <button type="button" onClick={anew}>
        {t("plan.clear")}
      </button>
    </div>
  );
}

/** What is wanted, the map it is drawn on, and what the planner found. */
function Desk() {
  const box = useRef<Box>(boxOfDraft());
  useEffect(() => {
    if (lost.peek() > 0) say(t("plan.lost", { count: lost.peek() }), "bad", [], "plan");
    lost.value = 0;
    reopen();
    return stopWatching;
  }, []);
  const one = planning.value;
  const result = one?.result ?? null;
  return (
    <>
      <h1 class="unseen">{t("plan.title")}</h1>
      <Form />
      <div class="ground">
        <Toolbar />
        <MapView label={t("plan.map")} box={box.current}>
          <DraftLayers />
          {one !== null && result !== null && <ResultLayers planning={one} result={result} />}
          <Editor />
          <See />
          <Measure />
        </MapView>
        {result !== null && <LayerBox result={result} />}
        <Progress />
      </div>
      {one !== null && result !== null ? <ResultPanel planning={one} result={result} /> : <Earlier />}
    </>
  );
}

function boxOfDraft(): Box {
  const found = boxOf(placesOf(draft.peek()));
  return found === null ? WORLD : [found[0] - AROUND, found[1] - AROUND, found[2] + AROUND, found[3] + AROUND];
}
