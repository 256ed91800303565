import { dataOf, service } from "../../../api/client";
import { t } from "../../../i18n";
import { useAsked } from "../../../ui/asked";
import { Table } from "../../../ui/Table";
import { named } from "../../review/words";

/** What everybody may know, as the public sees it. */
export default function Transparency() {
  const asked = useAsked(async () => dataOf(await service.GET("/transparency.json")).months.toReversed(), []);
  const newest = asked.value?.[0];
  return (
    <section class="stack" aria-label={t("account.transparency")}>
      <p>
        {t("account.transparency_says")}{" "}
        <a href="/transparency" target="_blank" rel="noopener">
          {t("account.public_page")}
        </a>
      </p>
      <Table
        asked={asked}
        columns={[
          t("account.month"),
          t("account.crossings"),
          t("account.of_which"),
          t("account.judged"),
          t("account.median"),
          t("account.shared_with"),
        ]}
        none={t("account.no_months")}
        row={(month) => (
          <tr key={month.month}>
            <th scope="row">{month.month}</th>
            <td>{t("account.at_least", { count: month.crossings.total_at_least })}</td>
            <td>
              <ul class="plain">
                {month.crossings.cells.map((cell) => (
                  <li key={`${cell.area?.join()} ${cell.kind}`}>
                    {named(cell.kind)}: {cell.count}
                    {cell.area !== null && <small> ({cell.area.join(", ")})</small>}
                  </li>
                ))}
                <li>{t("account.elsewhere", { count: month.crossings.elsewhere_at_least })}</li>
              </ul>
            </td>
            <td>
              {share(t("account.confirmed"), month.review.confirmed)}
              {share(t("account.dismissed"), month.review.dismissed)}
              {share(t("account.pending"), month.review.pending)}
            </td>
            <td>
              {t("account.to_review")}: {month.median_delay.review ?? t("account.not_enough")}
              <br />
              {t("account.to_release")}: {month.median_delay.release ?? t("account.not_enough")}
            </td>
            <td>
              {t("account.partners", { count: month.sharing.partners })},{" "}
              {t("account.agreements", { count: month.sharing.agreements })}
            </td>
          </tr>
        )}
      />
      {newest !== undefined && <p class="soft">{t("account.threshold", { count: newest.threshold })}</p>}
    </section>
  );
}

function share(name: string, per_cent: number | null) {
  return (
    <div>
      {name}: {per_cent === null ? t("account.not_enough") : `${per_cent} %`}
    </div>
  );
}
