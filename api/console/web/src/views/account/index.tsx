import { Sections } from "../../ui/Sections";
import Audit from "./audit/Audit";
import Mine from "./mine/Mine";
import Accounts from "./people/Accounts";
import Keys from "./people/Keys";
import Erasure from "./rules/Erasure";
import Retention from "./rules/Retention";
import ReviewRules from "./rules/ReviewRules";
import Transparency from "./rules/Transparency";
import "./account.css";

const SECTIONS = [
  { name: "audit", title: "account.audit", needs: ["audit.read"], Content: Audit },
  { name: "accounts", title: "account.accounts", needs: ["account.write"], Content: Accounts },
  { name: "keys", title: "account.keys", needs: ["key.write"], Content: Keys },
  { name: "erasure", title: "account.erasure", needs: ["erasure.read"], Content: Erasure },
  { name: "retention", title: "account.retention", needs: ["policy.read"], Content: Retention },
  { name: "review", title: "account.review_rules", needs: ["policy.read"], Content: ReviewRules },
  { name: "transparency", title: "account.transparency", needs: ["policy.read"], Content: Transparency },
  { name: "mine", title: "account.mine", needs: ["self"], Content: Mine },
] as const;

export default function Account() {
  return <Sections view="account" title="account.title" sections={SECTIONS} />;
}
