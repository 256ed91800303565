import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { Answer, More } from "../../../ui/Answer";
import { usePages } from "../../../ui/asked";
import { Id } from "../../../ui/Id";
import { Time } from "../../../ui/Time";

const PAGE = 100;

/** What was erased: when, why, and the digest of what was there. */
export function Tombstones({ turn }: { turn: number }) {
  const pages = usePages(() => askTombstones(), [turn], askTombstones);
  return (
    <section class="stack" aria-label={t("account.tombstones")}>
      <h2>{t("account.tombstones")}</h2>
      <Answer asked={pages}>
        {(tombstones) => (
          <>
            {tombstones.length === 0 ? (
              <p>{t("account.no_tombstones")}</p>
            ) : (
              <div class="scroll">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t("account.record")}</th>
                      <th scope="col">{t("account.type")}</th>
                      <th scope="col">{t("account.erased")}</th>
                      <th scope="col">{t("account.why")}</th>
                      <th scope="col">{t("account.digest")}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {tombstones.map((tombstone) => (
                      <tr key={tombstone.record_id}>
                        <td>
                          <Id id={tombstone.record_id} />
                        </td>
                        <td>{tombstone.type}</td>
                        <td>
                          <Time at={tombstone.erased} /> <Id id={tombstone.erased_by} />
                        </td>
                        <td>
                          {t(`account.why_${tombstone.why}`)}: {tombstone.rule}
                        </td>
                        <td>
                          <code title={tombstone.digest}>{tombstone.digest.slice(0, 12)}…</code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <More pages={pages} />
          </>
        )}
      </Answer>
    </section>
  );
}

/** A page of tombstones, oldest first, after the place that another page names. */
async function askTombstones(after?: string) {
  const query = { limit: PAGE, ...(after === undefined ? {} : { after }) };
  const found = dataOf(await service.GET("/tombstones", { params: { query } }));
  return { items: found.tombstones, next: found.tombstones.length < PAGE ? null : found.next };
}
