import { t } from "../../i18n";

export default function Account() {
  return <h1>{t("account.title")}</h1>;
}
