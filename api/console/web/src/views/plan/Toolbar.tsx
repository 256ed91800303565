import { t, type Word } from "../../i18n";
import { useKeys } from "../../ui/keys";
import { MeasureButton } from "../../ui/measure/Measure";
import { measuring, toggleMeasuring } from "../../ui/measure/measuring";
import { Shortcut } from "../../ui/Shortcut";
import { flipSides } from "./BorderPart";
import { picked, type Tool, tool } from "./chosen";
import { canRedo, canUndo, change, draft, redo, undo } from "./history";

const TOOLS: readonly (readonly [Tool, Word, string])[] = [
  ["select", "plan.tool_select", "v"],
  ["border", "plan.tool_border", "b"],
  ["base", "plan.tool_base", "s"],
  ["zone", "plan.tool_zone", "z"],
];

/** The tools that draw, each with its key. */
export function Toolbar() {
  const { lines } = draft.value;
  useKeys([
    ...TOOLS.map(([name, word, key]) => ({ key, word, act: () => choose(name) })),
    { key: "f", word: "plan.flip", act: flipSides },
    { key: "Delete", word: "plan.delete", act: removePicked, when: () => picked.value !== null },
    { key: "u", word: "plan.undo", act: undo },
    { key: "r", word: "plan.redo", act: redo },
  ]);
  return (
    <div class="tools" role="toolbar" aria-label={t("plan.tools")}>
      {TOOLS.map(([name, word, key]) => (
        <button
          type="button"
          key={name}
          aria-pressed={!measuring.value && tool.value === name}
          onClick={() => choose(name)}
        >
          {t(word)} <Shortcut of={key} />
        </button>
      ))}
      <MeasureButton />
      <span class="gap" />
      <button type="button" disabled={lines.length === 0} onClick={flipSides}>
        {t("plan.flip")} <Shortcut of="f" />
      </button>
      <button type="button" disabled={picked.value === null} onClick={removePicked}>
        {t("plan.delete")} <Shortcut of="Delete" named="Del" />
      </button>
      <button type="button" disabled={!canUndo.value} onClick={undo}>
        {t("plan.undo")} <Shortcut of="u" />
      </button>
      <button type="button" disabled={!canRedo.value} onClick={redo}>
        {t("plan.redo")} <Shortcut of="r" />
      </button>
      <p class="tool-hint" role="status">
        {tool.value === "select" || measuring.value ? "" : t(`plan.hint_${tool.value}`)}
      </p>
    </div>
  );
}

function choose(name: Tool): void {
  if (measuring.peek()) toggleMeasuring();
  picked.value = null;
  tool.value = name;
}

function removePicked(): void {
  const id = picked.value;
  if (id === null) return;
  const { lines, bases, zones } = draft.value;
  const others = <T extends { id: string }>(all: T[]): T[] => all.filter((one) => one.id !== id);
  picked.value = null;
  change({ lines: others(lines), bases: others(bases), zones: others(zones) });
}
