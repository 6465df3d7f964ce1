import type { OptionKind, TicketStatus } from "../../gql/graphql";

export const STATUS_NAMES: Readonly<Record<TicketStatus, string>> = {
  OPEN: "Open", IN_PROGRESS: "In progress", WAITING: "Waiting", RESOLVED: "Resolved", CLOSED: "Closed",
};

/** Where a ticket may go from a status; the service refuses the rest. */
export const MOVES: Readonly<Record<TicketStatus, readonly TicketStatus[]>> = {
  OPEN: ["IN_PROGRESS", "WAITING", "RESOLVED", "CLOSED"],
  IN_PROGRESS: ["OPEN", "WAITING", "RESOLVED", "CLOSED"],
  WAITING: ["OPEN", "IN_PROGRESS", "RESOLVED", "CLOSED"],
  RESOLVED: ["OPEN", "CLOSED"],
  CLOSED: ["OPEN"],
};

/** What is pressed, as a key and as a button, to get to a status. */
export const STATUS_KEYS: Readonly<Record<TicketStatus, { readonly key: string; readonly verb: string }>> = {
  OPEN: { key: "o", verb: "Reopen" },
  IN_PROGRESS: { key: "p", verb: "Start work" },
  WAITING: { key: "w", verb: "Wait" },
  RESOLVED: { key: "e", verb: "Resolve" },
  CLOSED: { key: "C", verb: "Close" },
};

export const KINDS = ["category", "priority", "team"] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_NAMES: Readonly<Record<Kind, string>> = { category: "Category", priority: "Priority", team: "Team" };

export interface Option {
  readonly kind?: OptionKind | null;
  readonly key: string;
  readonly name: string;
  readonly archived: boolean;
}

/** The name for people of a category, priority or team. The key itself when the list could not be read. */
export function nameOf(options: readonly Option[], kind: Kind, key: string | null | undefined): string {
  if (key === null || key === undefined) return "Undecided";
  return options.find((option) => option.kind === kind.toUpperCase() && option.key === key)?.name ?? key;
}

/** What can be chosen: what is offered, and what the ticket has although it is not offered any more. */
export function choices(options: readonly Option[], kind: Kind, present?: string | null): { readonly value: string; readonly label: string }[] {
  const offered = options.filter((option) => option.kind === kind.toUpperCase() && (!option.archived || option.key === present));
  const known = offered.map(({ key, name, archived }) => ({ value: key, label: archived ? `${name} (not offered any more)` : name }));
  return present === null || present === undefined || present === "" || known.some(({ value }) => value === present) ? known : [...known, { value: present, label: present }];
}

/** How sure a machine is, in words that need no training. */
export function sureness(confidence: number): string {
  const words = confidence >= 0.8 ? "sure" : confidence >= 0.6 ? "fairly sure" : confidence >= 0.4 ? "not very sure" : "a guess";
  return `${words}, ${Math.round(confidence * 100)} %`;
}

/** `12 minutes before`, of two moments in RFC 3339. */
export function before(moment: string, event: string): string {
  const minutes = Math.floor((Date.parse(event) - Date.parse(moment)) / 60_000);
  const count = (amount: number, unit: string): string => `${amount} ${unit}${amount === 1 ? "" : "s"} before`;
  if (minutes < 1) return "less than a minute before";
  if (minutes < 120) return count(minutes, "minute");
  if (minutes < 48 * 60) return count(Math.floor(minutes / 60), "hour");
  return count(Math.floor(minutes / 1_440), "day");
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** The ids in a text of ids and addresses of pages, each once. */
export function idsIn(text: string): string[] {
  return [...new Set((text.match(ID) ?? []).map((id) => id.toLowerCase()))];
}

/** An address that may be a link: of the web, and nothing that a click would run. */
export function webAddress(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined;
  try {
    return new URL(text).href;
  } catch {
    return undefined;
  }
}

export interface State {
  readonly version: number;
  readonly title: string;
  readonly status?: TicketStatus | null;
  readonly category?: string | null;
  readonly priority?: string | null;
  readonly team?: string | null;
  readonly audience?: string | null;
  readonly commentCount: number;
  readonly assignee?: { readonly id: string; readonly displayName: string } | null;
}

/** What somebody else made of a ticket between two readings of it. */
export function differences(read: State, now: State, options: readonly Option[]): string {
  const found: string[] = [];
  if (read.status !== now.status && now.status) found.push(`status ${STATUS_NAMES[now.status].toLowerCase()}`);
  for (const kind of KINDS) if (read[kind] !== now[kind]) found.push(`${kind} ${nameOf(options, kind, now[kind]).toLowerCase()}`);
  if (read.assignee?.id !== now.assignee?.id) found.push(now.assignee ? `assigned to ${now.assignee.displayName}` : "assigned to nobody");
  if (read.title !== now.title) found.push(`title “${now.title}”`);
  const comments = now.commentCount - read.commentCount;
  if (comments > 0) found.push(comments === 1 ? "one more comment" : `${comments} more comments`);
  return found.length > 0 ? found.join(", ") : "something that this page does not show; its status is as it was";
}
