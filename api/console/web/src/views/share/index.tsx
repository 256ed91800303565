import { Sections } from "../../ui/Sections";
import Agreements from "./agreements/Agreements";
import Outlets from "./outlets/Outlets";
import Received from "./received/Received";
import Records from "./records/Records";
import Releases from "./releases/Releases";
import Webhooks from "./webhooks/Webhooks";
import "./share.css";

const SECTIONS = [
  { name: "records", title: "share.records", needs: ["release"], Content: Records },
  { name: "releases", title: "share.releases", needs: ["policy.read"], Content: Releases },
  { name: "agreements", title: "share.agreements", needs: ["policy.read"], Content: Agreements },
  { name: "received", title: "share.received", needs: ["receipt"], Content: Received },
  { name: "outlets", title: "share.outlets", needs: ["policy.read"], Content: Outlets },
  { name: "webhooks", title: "share.webhooks", needs: ["webhook"], Content: Webhooks },
] as const;

export default function Share() {
  return <Sections view="share" title="share.title" sections={SECTIONS} />;
}
