import { session, type Person } from "../../app/session";
import { useStore } from "../../app/store";

const NOBODY: Person = { id: "", version: 0, email: null, displayName: "", role: null };

/** Who looks, and what his role lets him do with tickets. The services decide; this only hides what they would refuse. */
export function useViewer(): { readonly person: Person; readonly decidesAudience: boolean; readonly seesSystems: boolean; readonly isAdmin: boolean } {
  const now = useStore(session);
  const person = "person" in now ? now.person : NOBODY;
  return {
    person,
    decidesAudience: person.role === "ADMIN" || person.role === "HR",
    seesSystems: person.role === "ADMIN" || person.role === "OPS",
    isAdmin: person.role === "ADMIN",
  };
}
