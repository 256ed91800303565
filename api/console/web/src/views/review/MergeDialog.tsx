import { useEffect, useRef, useState } from "preact/hooks";
import { dataOf, service } from "../../api/client";
import { t } from "../../i18n";
import { distance } from "../../map/ground";
import { report } from "../../ui/failure";
import { Time } from "../../ui/Time";
import { type Crossing, crossingOf } from "./crossing";
import { type AskingAbout, merge } from "./desk";
import { Form, Numbered, Reason } from "./dialogs";
import { headline } from "./Facts";
import { boxAround } from "./ground";

/** What may be the same event lies within so much time and ground. */
const SECONDS = 180;
const METRES = 300;
const MOST = 9;

/** Which of those near in time and place is the same event. */
export function MergeDialog({ asked }: { asked: AskingAbout }) {
  const here = asked.about.crossing;
  const [near, setNear] = useState<readonly Crossing[] | null>(null);
  const [into, setInto] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const [reason, setReason] = useState(() => t("review.merge_usual_reason"));
  useEffect(() => {
    nearTo(here)
      .then((found) => {
        setNear(found);
        setInto(found[0]?.id ?? null);
      })
      .catch(report);
  }, [here.id]);
  // It has come after the dialog: a digit is for it, and not for the reason.
  useEffect(() => list.current?.querySelector("input")?.focus(), [near]);
  return (
    <Form
      asked={asked}
      title={t("review.merge_title")}
      action={t("review.merge")}
      ready={into !== null && reason.trim() !== ""}
      onSubmit={() => (into === null ? undefined : merge(asked, into, reason.trim()))}
    >
      <p>{t("review.merge_told")}</p>
      {near === null && <p role="status">{t("app.loading")}</p>}
      {near?.length === 0 && <p role="status">{t("review.merge_none", { seconds: SECONDS, metres: METRES })}</p>}
      {near !== null && near.length > 0 && (
        <div ref={list}>
          <Numbered
            label={t("review.merge_with")}
            choices={near.map((each) => ({ value: each.id, label: <Near here={here} other={each} /> }))}
            value={into}
            onChoose={setInto}
          />
        </div>
      )}
      <Reason label={t("review.reason")} value={reason} readOnly={near === null} onInput={setReason} />
    </Form>
  );
}

function Near({ here, other }: { here: Crossing; other: Crossing }) {
  const [from, to] = [here.place, other.place];
  const apart = from === null || to === null ? null : distance([from.lon, from.lat], [to.lon, to.lat]);
  return (
    <>
      {headline(other)} · <Time at={other.time} /> · {other.source}
      {apart !== null && <> · {t("review.metres_away", { metres: Math.round(apart) })}</>}
    </>
  );
}

/** Others that stand for themselves, the nearest in time first. */
async function nearTo(here: Crossing): Promise<Crossing[]> {
  const at = Date.parse(here.time);
  const bbox = here.place === null ? null : boxAround(here.place.lat, here.place.lon, METRES).join(",");
  const query = {
    from: new Date(at - SECONDS * 1000).toISOString(),
    to: new Date(at + SECONDS * 1000).toISOString(),
    limit: 50,
    ...(bbox === null ? {} : { bbox }),
  };
  const found = dataOf(await service.GET("/crossings", { params: { query } })).features.map(crossingOf);
  return found
    .filter((each) => each.id !== here.id && each.state !== "merged")
    .toSorted((a, b) => Math.abs(Date.parse(a.time) - at) - Math.abs(Date.parse(b.time) - at))
    .slice(0, MOST);
}
