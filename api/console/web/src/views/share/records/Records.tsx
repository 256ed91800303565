import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { askPartners, nameOf, type Partner } from "../../../api/partners";
import { t } from "../../../i18n";
import { Answer, More } from "../../../ui/Answer";
import { useAsked, usePages } from "../../../ui/asked";
import { ChoiceField } from "../../../ui/fields";
import { Scroll } from "../../../ui/Scroll";
import { useTold } from "../told";
import { Compare } from "./Compare";
import { askCandidates, followCandidates, isOpen } from "./preview";
import { ReleaseMany } from "./ReleaseMany";
import { Row } from "./Row";

/** Whom it is about, and what was ticked: kept while other parts of the page are looked at. */
const partner = signal("");
const ticked = signal<readonly string[]>([]);

/** Pick a partner: every crossing with whether it may be shared and why not, as they would see it; release some. */
export default function Records() {
  const asked = useAsked(async () => (await askPartners()).filter((each) => each.ended === null), []);
  useTold(["partner.created", "partner.ended"], asked.again);
  useEffect(() => {
    const [first, second] = asked.value ?? [];
    if (partner.peek() === "" && first !== undefined && second === undefined) partner.value = first.id;
  }, [asked.value]);
  return (
    <Answer asked={asked}>
      {(partners) => (
        <>
          <ChosenPartner partners={partners} />
          {partner.value === "" ? (
            <p>{t(partners.length === 0 ? "share.no_partners" : "share.choose_partner")}</p>
          ) : (
            <Candidates key={partner.value} partners={partners} />
          )}
        </>
      )}
    </Answer>
  );
}

function ChosenPartner({ partners }: { partners: readonly Partner[] }) {
  const chosen = useSignal(partner.peek());
  useEffect(() => {
    chosen.value = partner.value;
  }, [partner.value]);
  useEffect(() => {
    if (partner.peek() !== chosen.value) {
      partner.value = chosen.value;
      ticked.value = [];
    }
  }, [chosen.value]);
  return (
    <div class="row">
      <ChoiceField
        label={t("share.as_seen_by")}
        value={chosen}
        choices={[["", t("share.choose")], ...partners.map((each) => [each.id, each.name] as const)]}
      />
    </div>
  );
}

function Candidates({ partners }: { partners: readonly Partner[] }) {
  const whom = partner.value;
  const which = useSignal<"confirmed" | "all">("confirmed");
  const chosen = useSignal<string | null>(null);
  const pages = usePages(
    () => askCandidates(whom, which.value === "confirmed"),
    [whom, which.value],
    (path) => followCandidates(path, whom),
  );
  useTold(
    ["crossing.reviewed", "release.created", "release.recalled", "agreement.created", "agreement.ended"],
    pages.again,
  );
  const name = nameOf(partners, whom);
  return (
    <>
      <div class="row">
        <ChoiceField
          label={t("share.which")}
          value={which}
          choices={[
            ["confirmed", t("share.confirmed_only")],
            ["all", t("share.all_crossings")],
          ]}
        />
      </div>
      <Answer asked={pages}>
        {(candidates) => {
          const shown = candidates.find((each) => each.ours.id === chosen.value);
          return (
            <div class={shown === undefined ? "stack" : "compared"}>
              <div class="stack">
                <Scroll>
                  <table class="records">
                    <thead>
                      <tr>
                        <th scope="col">
                          <span class="unseen">{t("share.tick")}</span>
                        </th>
                        <th scope="col">{t("share.crossing")}</th>
                        <th scope="col" class="extra">
                          {t("share.place")}
                        </th>
                        <th scope="col" class="extra">
                          {t("share.marking")}
                        </th>
                        <th scope="col">{t("share.may_see", { partner: name })}</th>
                        <th scope="col">
                          <span class="unseen">{t("share.compare")}</span>
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {candidates.map((candidate) => (
                        <Row key={candidate.ours.id} candidate={candidate} ticked={ticked} chosen={chosen} />
                      ))}
                    </tbody>
                  </table>
                </Scroll>
                {candidates.length === 0 && <p>{t("share.no_crossings")}</p>}
                <More pages={pages} />
                <ReleaseMany
                  candidates={candidates.filter((each) => isOpen(each) && ticked.value.includes(each.ours.id))}
                  ticked={ticked}
                  partner={name}
                  onDone={pages.again}
                />
              </div>
              {shown !== undefined && <Compare candidate={shown} partner={name} />}
            </div>
          );
        }}
      </Answer>
    </>
  );
}
