import type { TicketFilter, TicketPriority, TicketStatus, TriageState } from "../../gql/graphql";

export const FILTERS = ["q", "status", "category", "priority", "team", "service", "who", "audience", "suspected", "triage"] as const;
export type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

const UNDONE: readonly TicketStatus[] = ["OPEN", "IN_PROGRESS", "WAITING"];
const STATUSES: readonly TicketStatus[] = [...UNDONE, "RESOLVED", "CLOSED"];
/** The most urgent first. */
export const LEVELS: readonly TicketPriority[] = ["URGENT", "HIGH", "NORMAL", "LOW"];
const TRIAGE_STATES: readonly TriageState[] = ["PENDING", "TRIAGED", "FAILED"];
const MAXIMUM_TEXT_CHARACTERS = 200;

/** The list that an address asks for. What it does not know narrows nothing: an old link still shows something. */
export function filterOf(filters: Filters, viewerId: string): TicketFilter {
  const status = STATUSES.find((each) => each === filters.status);
  const level = LEVELS.find((each) => each === filters.priority?.toUpperCase());
  const triage = TRIAGE_STATES.find((each) => each === filters.triage);
  return {
    ...(filters.status === "ALL" ? {} : { statuses: status ? [status] : [...UNDONE] }),
    ...(filters.category === undefined ? {} : { categories: [filters.category] }),
    ...(level === undefined ? {} : { priorityLevels: [level] }),
    ...(filters.team === undefined ? {} : { teams: [filters.team] }),
    ...(filters.service === undefined ? {} : { service: filters.service }),
    ...(filters.who === "me" ? { assigneeId: viewerId } : {}),
    ...(filters.who === "nobody" ? { unassigned: true } : {}),
    ...(filters.audience === "GENERAL" || filters.audience === "PEOPLE" ? { audience: filters.audience } : {}),
    ...(filters.suspected === "yes" ? { peopleSuspected: true } : {}),
    ...(triage === undefined ? {} : { triageStates: [triage] }),
    ...(filters.q === undefined ? {} : { text: Array.from(filters.q).slice(0, MAXIMUM_TEXT_CHARACTERS).join("") }),
  };
}
