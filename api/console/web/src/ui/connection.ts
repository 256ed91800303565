import type { Connection } from "../api/events";
import { t } from "../i18n";
import { timeText } from "./Time";

/**
 * How a stream stands, in words.
 *
 * @param heard when anything came of it last, milliseconds since the Unix epoch
 */
export function connectionText(connection: Connection, heard: number | null): string {
  if (connection === "silent" && heard !== null)
    return t("app.connection_silent", { time: timeText(new Date(heard).toISOString(), false) });
  if (connection === "lost" || connection === "silent") return t("app.connection_lost");
  return t(connection === "live" ? "app.connection_live" : "app.connection_opening");
}
