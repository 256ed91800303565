import { t } from "../../i18n";
import type { Planning, Result } from "./planning";
import { bytes } from "./units";

/** The files of the plan, as the tools of pilots read them: those of each sortie, then those of all of them. */
export function Files({ planning, result }: { planning: Planning; result: Result }) {
  const groups = new Map<string | null, Result["files"]>();
  for (const file of result.files) groups.set(file.sortie, [...(groups.get(file.sortie) ?? []), file]);
  const names = [...groups.keys()].sort((a, b) => (a ?? "").localeCompare(b ?? "", undefined, { numeric: true }));
  return (
    <div class="files">
      {names.map((name) => (
        <section key={name} aria-label={name ?? planning.name}>
          <h3>{name ?? t("plan.whole_plan")}</h3>
          <ul>
            {groups.get(name)?.map((file) => (
              <li key={file.name}>
                <a href={file.href} download={file.name}>
                  {file.name}
                </a>{" "}
                <small>{bytes(file.size)}</small>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
