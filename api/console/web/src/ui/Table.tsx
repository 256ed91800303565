import type { VNode } from "preact";
import { t } from "../i18n";
import { Answer, More } from "./Answer";
import type { Asked, Pages } from "./asked";
import { Scroll } from "./Scroll";

interface Props<T> {
  asked: Asked<readonly T[]> | Pages<T>;
  /** What stands over each column. */
  columns: readonly string[];
  /** Whether a column of buttons follows, whose head is read out alone. */
  actions?: boolean;
  /** What is said in place of a table without rows. */
  none: string;
  class?: string;
  /** An element `tr` with a key. */
  row: (each: T) => VNode;
}

/** A list that was asked for, as a table; with a way to go on where it comes in pages. */
export function Table<T>({ asked, columns, actions = false, none, class: name, row }: Props<T>) {
  return (
    <Answer asked={asked}>
      {(found) => (
        <>
          {found.length === 0 ? (
            <p>{none}</p>
          ) : (
            <Scroll>
              <table class={name}>
                <thead>
                  <tr>
                    {columns.map((column) => (
                      <th key={column} scope="col">
                        {column}
                      </th>
                    ))}
                    {actions && (
                      <th scope="col">
                        <span class="unseen">{t("app.actions")}</span>
                      </th>
                    )}
                  </tr>
                </thead>
                <tbody>{found.map(row)}</tbody>
              </table>
            </Scroll>
          )}
          {"more" in asked && <More pages={asked} />}
        </>
      )}
    </Answer>
  );
}
