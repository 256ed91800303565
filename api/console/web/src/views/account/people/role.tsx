import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../../../api/client";
import { askPartners, type Partner } from "../../../api/partners";
import { t } from "../../../i18n";
import { report } from "../../../ui/failure";
import { ChoiceField } from "../../../ui/fields";

export type Role = Schemas["Role"];

export const ROLES = ["pilot", "analyst", "supervisor", "partner", "auditor", "administrator"] as const;
/** Roles of keys: machines have one more. */
export const KEY_ROLES = [...ROLES, "sensor"] as const;

/** What a role is called; one of which this page has no word, as the service has it. */
export function roleText(role: string): string {
  const known = KEY_ROLES.find((each) => each === role);
  return known === undefined ? role : t(`account.role_${known}`);
}

interface Props {
  roles: readonly Role[];
  role: Signal<Role>;
  partner: Signal<string>;
}

/** A role, and for a partner's the partner. */
export function RoleFields({ roles, role, partner }: Props) {
  const partners = useSignal<readonly Partner[]>([]);
  useEffect(() => {
    askPartners()
      .then((found) => {
        partners.value = found.filter((each) => each.ended === null);
      })
      .catch(report);
  }, []);
  return (
    <>
      <ChoiceField
        label={t("account.role")}
        value={role}
        choices={roles.map((each) => [each, t(`account.role_${each}`)] as const)}
      />
      {role.value === "partner" && (
        <ChoiceField
          label={t("account.partner")}
          value={partner}
          choices={[["", t("account.choose")], ...partners.value.map((each) => [each.id, each.name] as const)]}
          required
        />
      )}
    </>
  );
}
