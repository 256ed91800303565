import { dataOf, follow, type Page, pageOf, service } from "../../../api/client";
import { askPartners, nameOf, type Partner } from "../../../api/partners";
import { t } from "../../../i18n";
import { useAgain, useAsked, usePages } from "../../../ui/asked";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";

const LOOK_MS = 10_000;
/** Whose events those inside are told, as the service names it. */
const INSIDE = "inside";

type Found = NonNullable<Awaited<ReturnType<typeof askOutlets>>["data"]>;
type Outlet = Found["outlets"][number];

const askOutlets = () => service.GET("/outlets");

async function first(): Promise<Page<Outlet[]>> {
  const answer = await askOutlets();
  return { items: dataOf(answer).outlets, next: pageOf(answer).next };
}

async function step(path: string): Promise<Page<Outlet[]>> {
  const { items, next } = await follow<Found>(path);
  return { items: items.outlets, next };
}

/** The TAK servers and brokers that the service pushes to: how far each is, and why it does not move. */
export default function Outlets() {
  const pages = usePages(first, [], step);
  const partners = useAsked(askPartners, []);
  useAgain(pages, LOOK_MS);
  return (
    <section class="stack" aria-label={t("share.outlets")}>
      <p class="soft">{t("share.outlets_say")}</p>
      <Table
        asked={pages}
        columns={[t("share.outlet"), t("share.told_to"), t("share.has_up_to"), t("share.behind"), t("share.state")]}
        none={t("share.no_outlets")}
        row={(outlet) => (
          <tr key={outlet.name}>
            <th scope="row">{outlet.name}</th>
            <td>{audienceText(outlet.audience, partners.value ?? [])}</td>
            <td>
              {outlet.n === 0 ? t("share.nothing_yet") : <Time at={outlet.moved} />}{" "}
              {outlet.n > 0 && <small>{t("share.event_number", { n: outlet.n })}</small>}
            </td>
            <td>{t("share.events", { count: outlet.behind })}</td>
            <td>
              <Standing outlet={outlet} />
            </td>
          </tr>
        )}
      />
    </section>
  );
}

function Standing({ outlet: { problem, behind } }: { outlet: Outlet }) {
  if (problem !== null)
    return (
      <strong class="state bad">
        {t("share.stuck")}: {problem}
      </strong>
    );
  return (
    <span class={behind === 0 ? "state good" : "state"}>{t(behind === 0 ? "share.in_step" : "share.sending")}</span>
  );
}

function audienceText(audience: string, partners: readonly Partner[]): string {
  return audience === INSIDE ? t("share.inside") : nameOf(partners, audience);
}
