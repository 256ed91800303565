import { t } from "../../i18n";

export default function Share() {
  return <h1>{t("share.title")}</h1>;
}
