import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../../i18n";
import { attempt, say } from "../../ui/failure";
import { BasesPart } from "./BasesPart";
import { BorderPart } from "./BorderPart";
import { emptyDraft } from "./draft";
import { FleetPart } from "./FleetPart";
import { TextField } from "./fields";
import { change, draft } from "./history";
import { importInto } from "./importing";
import { MorePart } from "./MorePart";
import { textOf } from "./mapFile";
import { GroundPart, PatrolPart, ShiftPart } from "./PatrolPart";
import { askFor, atWork, planning, refused } from "./planning";
import { asksFor, draftOf } from "./recalled";
import { faultsOf, type Part, partOf, requestOf } from "./request";
import { placesOf, see } from "./See";
import { unkept } from "./storage";
import { unreadFaults } from "./unread";
import { ZonesPart } from "./ZonesPart";

/** What is to be planned; it says what is wrong as it is written, and in the service's words when that refuses. */
export function Form() {
  const asking = useSignal(false);
  // A form that nobody has filled in yet is not a wrong one: what is missing is said when a plan was asked for.
  const tried = useSignal(false);
  const faults = useComputed(() => [...faultsOf(draft.value), ...unreadFaults(draft.value)]);
  // What the service refused, or found to be impossible while it planned.
  const said = useComputed(() => [...refused.value, ...(planning.value?.error == null ? [] : [planning.value.error])]);
  const MISSING = new Set(["plan.fault_no_border", "plan.fault_no_base", "plan.fault_countries"]);
  // Beside a plan of before an empty form asks for none again.
  const bare = useComputed(() => faults.value.some(({ word }) => MISSING.has(word)));
  const of = (part: Part): string[] => [
    ...faults.value
      .filter((fault) => fault.part === part && (tried.value || !MISSING.has(fault.word)))
      .map((fault) => t(fault.word, fault.values)),
    ...said.value.filter((words) => partOf(words) === part),
  ];
  async function ask(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    tried.value = true;
    const form = event.currentTarget instanceof HTMLFormElement ? event.currentTarget : null;
    // A figure or a date that is half written: the draft still has the one of before.
    const half = [...(form?.elements ?? [])].find((each) => each instanceof HTMLInputElement && each.validity.badInput);
    if (half instanceof HTMLInputElement) {
      say(t("plan.half_written"), "bad", [], "plan");
      half.focus();
      return;
    }
    if (faults.value.length > 0) {
      say(t("plan.see_faults", { count: faults.value.length }), "bad", [], "plan");
      document.querySelector(".plan .faulty")?.scrollIntoView({ block: "nearest" });
      return;
    }
    asking.value = true;
    await attempt(() => askFor(requestOf(draft.value, t("plan.usual_name"))), "plan");
    asking.value = false;
    if (refused.value.length > 0) document.querySelector(".plan .faulty")?.scrollIntoView({ block: "nearest" });
  }
  function recall(): void {
    const shown = planning.value;
    if (shown === null) return;
    const { draft: recalled, lost } = draftOf(shown.request);
    change(recalled);
    if (lost.length === 0) say(t("plan.recalled"));
    else say(t("plan.recalled_but"), "bad", lost, "plan");
  }
  const recallable = useComputed(
    () => planning.value !== null && !asksFor(draft.value, planning.value.request, t("plan.usual_name")),
  );
  const busy = asking.value || atWork.value;
  return (
    <form class="wish" aria-label={t("plan.wish")} noValidate onSubmit={ask}>
      <div class="wish-parts">
        <div class="wish-head">
          <TextField
            label={t("plan.plan_name")}
            value={draft.value.name}
            placeholder={t("plan.usual_name")}
            set={(name) => change({ name }, "name")}
          />
          <ImportButton />
        </div>
        <div class="faults" role="status">
          {unkept.value && <p class="fault">{t("plan.unkept")}</p>}
          {of("name").map((fault) => (
            <p key={fault} class="fault">
              {fault}
            </p>
          ))}
        </div>
        <BorderPart faults={of("border")} />
        <BasesPart faults={of("bases")} />
        <FleetPart faults={of("fleet")} />
        <ZonesPart faults={of("zones")} />
        <PatrolPart faults={of("patrol")} />
        <ShiftPart faults={of("shift")} />
        <GroundPart faults={of("ground")} />
        <MorePart faults={of("more")} />
        <button type="button" class="plain" onClick={() => change(emptyDraft())}>
          {t("plan.clear")}
        </button>
      </div>
      <div class="wish-foot">
        {recallable.value && (
          <button type="button" onClick={recall}>
            {t("plan.recall")}
          </button>
        )}
        <button type="submit" class="primary" disabled={busy}>
          {planning.value?.result == null || bare.value ? t("plan.ask") : t("plan.ask_again")}
        </button>
      </div>
    </form>
  );
}

/** Takes a border, bases and zones from a file. */
function ImportButton() {
  const input = useRef<HTMLInputElement>(null);
  async function read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    try {
      const { text, notes } = await textOf(file);
      const before = draft.value;
      const { draft: after, leftOut } = importInto(before, file.name, text);
      change(after);
      const added = <T,>(all: readonly T[], known: readonly T[]): T[] => all.filter((each) => !known.includes(each));
      see(
        placesOf({
          lines: added(after.lines, before.lines),
          bases: added(after.bases, before.bases),
          zones: added(after.zones, before.zones),
        }),
      );
      const counts = {
        lines: after.lines.length - before.lines.length,
        bases: after.bases.length - before.bases.length,
      };
      say(t("plan.imported", { file: file.name, ...counts, zones: after.zones.length - before.zones.length }));
      if (leftOut.length > 0) say(t("plan.left_out", { file: file.name }), "bad", leftOut, "plan");
      if (notes.length > 0) say(t("plan.noted", { file: file.name }), "bad", notes, "plan");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(t("plan.not_imported", { file: file.name, why }), "bad", [], "plan");
    } finally {
      // Else the same file, put right, could not be chosen again.
      if (input.current !== null) input.current.value = "";
    }
  }
  return (
    <label class="import">
      {t("plan.import")}
      <input
        ref={input}
        type="file"
        accept=".geojson,.json,.kml,.kmz,.gpkg,.zip"
        onChange={(event) => read(event.currentTarget.files?.[0])}
      />
    </label>
  );
}
