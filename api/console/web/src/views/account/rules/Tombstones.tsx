import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { usePages } from "../../../ui/asked";
import { Id } from "../../../ui/Id";
import { typeText } from "../../../ui/recordTypes";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";

const PAGE = 100;

/** What was erased: when, why, and the digest of what was there. */
export function Tombstones({ turn }: { turn: number }) {
  const pages = usePages(() => askTombstones(), [turn], askTombstones);
  return (
    <section class="stack" aria-label={t("account.tombstones")}>
      <h2>{t("account.tombstones")}</h2>
      <Table
        asked={pages}
        columns={[t("account.record"), t("account.type"), t("account.erased"), t("account.why"), t("account.digest")]}
        none={t("account.no_tombstones")}
        row={({ record_id, type, erased, erased_by, why, rule, digest }) => (
          <tr key={record_id}>
            <td>
              <Id id={record_id} />
            </td>
            <td>{typeText(type)}</td>
            <td>
              <Time at={erased} /> <Id id={erased_by} />
            </td>
            <td>
              {t(`account.why_${why}`)}: {rule}
            </td>
            <td>
              <code title={digest}>{digest.slice(0, 12)}…</code>
            </td>
          </tr>
        )}
      />
    </section>
  );
}

/** A page of tombstones, oldest first, after the place that another page names. */
async function askTombstones(after?: string) {
  const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
  const found = dataOf(await service.GET("/tombstones", { params: { query } }));
  return { items: found.tombstones, next: found.tombstones.length < PAGE ? null : found.next };
}
