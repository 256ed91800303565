import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { LAYERS, shownLayers, toggle } from "./chosen";
import type { Result } from "./planning";
import { EVEN, scaleColours, scaleOf } from "./scale";
import { span } from "./units";

/** What of the result is shown on the map, and what its colours mean; folded up where the map is wanted more. */
export function LayerBox({ result }: { result: Result }) {
  const scale = scaleOf(result.map.revisit.map((one) => one.properties.revisit_s));
  const colours = scaleColours();
  const [isOpen] = useState(() => matchMedia("(min-width: 1150px)").matches);
  return (
    <details class="layers" open={isOpen}>
      <summary>{t("plan.layers")}</summary>
      <fieldset aria-label={t("plan.layers")}>
        {LAYERS.map((layer) => (
          <label class="inline" key={layer}>
            <input type="checkbox" checked={shownLayers.value.has(layer)} onChange={() => toggle(layer)} />
            {t(`plan.layer_${layer}`)}
          </label>
        ))}
        {shownLayers.value.has("revisit") && scale.ends.length > 0 && (
          <ol class="legend" aria-label={t("plan.legend")}>
            {scale.ends.map((end, place) => {
              const step = scale.ends.length === 1 ? EVEN : place;
              return (
                <li key={end}>
                  <svg viewBox="0 0 28 16" width="28" height="16" aria-hidden="true">
                    <line x1="0" x2="28" y1="8" y2="8" stroke={colours[step]} stroke-width={4 + 2.2 * step} />
                  </svg>
                  ≤ {span(end)}
                </li>
              );
            })}
          </ol>
        )}
      </fieldset>
    </details>
  );
}
