import { t } from "../../../i18n";
import { Id } from "../../../ui/Id";
import { Scroll } from "../../../ui/Scroll";
import { Time } from "../../../ui/Time";
import { compared } from "./compare";
import { type Candidate, coveringOf } from "./preview";

/** The record exactly as the partner would see it, beside our own. What differs is said in words. */
export function Compare({ candidate, partner }: { candidate: Candidate; partner: string }) {
  const { ours, preview } = candidate;
  const covering = coveringOf(preview);
  const theirs = covering?.feature ?? null;
  return (
    <Scroll class="compare" label={t("share.compare")}>
      <h2>{t("share.compare_title", { partner })}</h2>
      <p>
        <Id id={ours.id} />{" "}
        {covering === undefined ? (
          <span class="state bad">{t("share.sees_nothing")}</span>
        ) : (
          <>
            {t("share.under")} <Id id={covering.agreement_id} />. {t(`share.media_${covering.media ?? "none"}`)}.
            {covering.visible_from !== undefined && (
              <>
                {" "}
                {t("share.visible_from")} <Time at={covering.visible_from} />.
              </>
            )}
          </>
        )}
      </p>
      <Scroll>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("share.member")}</th>
              <th scope="col">{t("share.ours")}</th>
              <th scope="col">{t("share.theirs", { partner })}</th>
            </tr>
          </thead>
          <tbody>
            {compared(ours, theirs).map((member) => (
              <tr key={member.name} class={member.difference}>
                <th scope="row">{member.name}</th>
                <td>
                  <code>{member.ours ?? "–"}</code>
                </td>
                <td>
                  {member.theirs === null ? (
                    <span class="mark">{t("share.is_withheld")}</span>
                  ) : (
                    <>
                      <code>{member.theirs}</code>
                      {member.difference !== "same" && <span class="mark">{t(`share.is_${member.difference}`)}</span>}
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {theirs !== null && (
        <details>
          <summary>{t("share.as_sent")}</summary>
          <pre>{JSON.stringify(theirs, null, 2)}</pre>
        </details>
      )}
    </Scroll>
  );
}
