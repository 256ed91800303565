import { useSignal } from "@preact/signals";
import { pageOf, type Schemas, service } from "../../../api/client";
import { askPartners, nameOf, type Partner } from "../../../api/partners";
import { may } from "../../../app/session";
import { serviceNow } from "../../../app/skew";
import { t } from "../../../i18n";
import { Answer } from "../../../ui/Answer";
import { Asking } from "../../../ui/Asking";
import { useAsked, usePages } from "../../../ui/asked";
import { ChoiceField } from "../../../ui/fields";
import { Id } from "../../../ui/Id";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { useTold } from "../told";
import { Recall } from "./Recall";
import { Relay } from "./Relay";

export type Release = Schemas["Release"];

/** What was shared with whom, what was taken back, and which partner has said that it is erased. */
export default function Releases() {
  const asked = useAsked(askPartners, []);
  return <Answer asked={asked}>{(partners) => <List partners={partners} />}</Answer>;
}

function List({ partners }: { partners: readonly Partner[] }) {
  const partner = useSignal("");
  const which = useSignal<"all" | "waiting">("all");
  const recalling = useSignal<Release | null>(null);
  const relaying = useSignal<Release | null>(null);
  const pages = usePages(async () => {
    const query = {
      newest: true,
      waiting: which.value === "waiting",
      ...(partner.value === "" ? {} : { partner_id: partner.value }),
    };
    return pageOf(await service.GET("/releases", { params: { query } }));
  }, [partner.value, which.value]);
  useTold(["release.created", "release.recalled", "recall.received"], pages.again);
  return (
    <>
      <div class="row">
        <ChoiceField
          label={t("share.partner")}
          value={partner}
          choices={[["", t("share.every_partner")], ...partners.map((each) => [each.id, each.name] as const)]}
        />
        <ChoiceField
          label={t("share.which")}
          value={which}
          choices={[
            ["all", t("share.all_releases")],
            ["waiting", t("share.waiting_only")],
          ]}
        />
      </div>
      <Table
        asked={pages}
        columns={[t("share.released"), t("share.record"), t("share.partner"), t("share.state")]}
        actions
        none={t("share.no_releases")}
        row={(release) => (
          <tr key={release.id}>
            <td>
              <Time at={release.released} />
              <br />
              <small>
                {release.subscription_id === null ? (
                  <By id={release.released_by} name={release.released_by_name} />
                ) : (
                  <>
                    {t("share.by_subscription")} <Id id={release.subscription_id} />
                  </>
                )}
                {release.reason !== null && `: ${release.reason}`}
              </small>
            </td>
            <td>
              <Id id={release.record_id} />
            </td>
            <td>{nameOf(partners, release.partner_id)}</td>
            <td>
              <State release={release} />
            </td>
            <td>{may("release") && <Actions release={release} recalling={recalling} relaying={relaying} />}</td>
          </tr>
        )}
      />
      <Asking about={recalling}>
        {(release, close) => (
          <Recall
            release={release}
            partner={nameOf(partners, release.partner_id)}
            onDone={pages.again}
            onClose={close}
          />
        )}
      </Asking>
      <Asking about={relaying}>
        {(release, close) => (
          <Relay
            release={release}
            partner={nameOf(partners, release.partner_id)}
            onDone={pages.again}
            onClose={close}
          />
        )}
      </Asking>
    </>
  );
}

/** Who it was: the name of a person or a key, and the id for who points at it; the service itself has none. */
function By({ id, name }: { id: string; name: string | null }) {
  return (
    <>
      {t("share.by_whom")} {name === null ? <Id id={id} /> : <span title={id}>{name}</span>}
    </>
  );
}

/** Standing, taken back and waiting for the partner's word, or erased there. */
function State({ release }: { release: Release }) {
  if (release.recalled === null) {
    const later = Date.parse(release.visible_from) > serviceNow();
    return (
      <>
        <span class="state good">{t("share.standing")}</span>
        {later && (
          <small>
            {" "}
            {t("share.visible_from")} <Time at={release.visible_from} />
          </small>
        )}
      </>
    );
  }
  return (
    <>
      <span class={`state ${release.receipt === null ? "warn" : ""}`}>
        {t(release.receipt === null ? "share.waits" : "share.erased_there")}
      </span>
      <br />
      <small>
        {t("share.recalled")} <Time at={release.recalled} />
        {release.recall_reason !== null && `: ${release.recall_reason}`}
        {release.receipt !== null && (
          <>
            {"; "}
            {t("share.receipt")} <Time at={release.receipt} />{" "}
            <By id={release.receipt_by ?? ""} name={release.receipt_by_name} />
          </>
        )}
      </small>
    </>
  );
}

interface ActionsProps {
  release: Release;
  recalling: { value: Release | null };
  relaying: { value: Release | null };
}

function Actions({ release, recalling, relaying }: ActionsProps) {
  if (release.recalled === null) {
    return (
      <button
        type="button"
        onClick={() => {
          recalling.value = release;
        }}
      >
        {t("share.recall")}
      </button>
    );
  }
  if (release.receipt !== null) return null;
  return (
    <button
      type="button"
      onClick={() => {
        relaying.value = release;
      }}
    >
      {t("share.relay")}
    </button>
  );
}
