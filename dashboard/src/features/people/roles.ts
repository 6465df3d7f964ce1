import type { Role } from "../../gql/graphql";

/** What a role lets a person see, in one line. */
export const ROLES: Readonly<Record<Role, { readonly name: string; readonly sees: string }>> = {
  ADMIN: { name: "Admin", sees: "everything, people and settings included" },
  OPS: { name: "Ops", sees: "logs, tickets and changelogs" },
  HR: { name: "HR", sees: "people's tickets and published changelogs" },
};

export const ROLE_CHOICES = [{ value: "", label: "No role" }, ...Object.entries(ROLES).map(([value, { name }]) => ({ value, label: name }))];

/** The role of a choice; null for none. */
export function roleOf(choice: string): Role | null {
  return choice === "ADMIN" || choice === "OPS" || choice === "HR" ? choice : null;
}

export function roleName(role: Role | null | undefined): string {
  return role ? ROLES[role].name : "no role";
}
