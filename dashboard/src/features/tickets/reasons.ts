import { graphql } from "../../gql";
import type { TicketTriageFragment } from "../../gql/graphql";
import type { Mark } from "./highlight";
import { KINDS, type Kind } from "./words";

export const TicketTriage = graphql(`
  fragment TicketTriage on Ticket {
    triage {
      id engine model fallbackReason kept peopleSuspected
      category { value confidence uncertain reasons { field start end quote explanation } }
      priority { value confidence uncertain reasons { field start end quote explanation } }
      team { value confidence uncertain reasons { field start end quote explanation } }
      peopleReasons { field start end quote explanation }
    }
    triageSuggestion {
      changed
      decision { engine model fallbackReason category { value confidence uncertain } priority { value confidence uncertain } team { value confidence uncertain } }
    }
  }
`);

type Decision = NonNullable<TicketTriageFragment["triage"]>;

export interface Reason extends Mark {
  readonly about: Kind | "people";
  readonly field: string | null | undefined;
  readonly explanation: string;
}

/** All reasons of a decision, each with a name of its own. */
export function reasonsOf(decision: Decision | null | undefined): readonly Reason[] {
  if (!decision) return [];
  const named = (about: Reason["about"], reasons: Decision["peopleReasons"]): Reason[] =>
    reasons.map((reason, index) => ({ ...reason, about, field: reason.field, id: `${about}-${index}` }));
  return [...KINDS.flatMap((kind) => named(kind, decision[kind].reasons)), ...named("people", decision.peopleReasons)];
}
