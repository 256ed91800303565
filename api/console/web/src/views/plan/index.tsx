import { t } from "../../i18n";

export default function Plan() {
  return <h1>{t("plan.title")}</h1>;
}
