import { t } from "../../i18n";

export default function Fly() {
  return <h1>{t("fly.title")}</h1>;
}
