import type { ComponentChildren } from "preact";
import { t } from "../../i18n";

interface Props {
  /** Above its columns. */
  heads: readonly string[];
  /** Its rows. */
  children: ComponentChildren;
}

/** What a drawing shows, as figures: for who does not see it, or wants them. */
export function AsTable({ heads, children }: Props) {
  return (
    <details>
      <summary>{t("plan.as_table")}</summary>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </details>
  );
}
