import { useMemo } from "react";
import { useWrite } from "../../app/data";
import { outcome, type Deed, type Row } from "./deeds";
import { AcceptTicketSuggestion, AssignTicket, DismissTicketSuggestion, LinkTicketLogs, RetriageTicket, UnlinkTicketLogs, UpdateTicket, UpdateTicketAudience, UpdateTicketStatus } from "./queries";
import { KINDS, KIND_NAMES, MOVES, STATUS_NAMES, nameOf, type Kind, type Option } from "./words";
import type { TicketAudience, TicketStatus } from "../../gql/graphql";

type Values = Partial<Record<Kind, string>>;

/** The deeds that people do to tickets, each with its opposite where it has one. */
export function useActions(options: readonly Option[]) {
  const { write: update } = useWrite(UpdateTicket);
  const { write: move } = useWrite(UpdateTicketStatus);
  const { write: assign } = useWrite(AssignTicket);
  const { write: show } = useWrite(UpdateTicketAudience);
  const { write: retriage } = useWrite(RetriageTicket);
  const { write: link } = useWrite(LinkTicketLogs);
  const { write: unlink } = useWrite(UnlinkTicketLogs);
  const { write: take } = useWrite(AcceptTicketSuggestion);
  const { write: putAway } = useWrite(DismissTicketSuggestion);

  return useMemo(() => {
    const valuesSent = (id: string, values: Values) => async (expectedVersion: number) => outcome(await update({ ticketId: id, expectedVersion, ...values }));
    const triaged = (id: string) => async (expectedVersion: number) => outcome(await retriage({ ticketId: id, expectedVersion }));

    /** Back to what stood there: a person's value is written again, a machine's is decided by the machine again. */
    const valuesRestored = (row: Row, kinds: readonly Kind[]) => async (version: number) => {
      const values = Object.fromEntries(kinds.map((kind) => [kind, row[`${kind}Source`] === "PERSON" ? (row[kind] ?? "") : ""])) as Values;
      const cleared = await valuesSent(row.id, values)(version);
      const machine = kinds.some((kind) => row[`${kind}Source`] === "TRIAGE");
      return machine && "row" in cleared && cleared.row ? triaged(row.id)(cleared.row.version) : cleared;
    };

    const logsChanged = (row: Row, logIds: string[], add: boolean): Pick<Deed, "mine" | "send"> => ({
      mine: `${logIds.length === 1 ? "the log" : `${logIds.length} logs`} ${add ? "linked" : "not linked any more"}`,
      send: async (expectedVersion) => outcome(await (add ? link : unlink)({ ticketId: row.id, expectedVersion, logIds })),
    });

    return {
      /** Undefined where the state machine knows no such move. */
      moved: (row: Row, status: TicketStatus): Deed | undefined => {
        const from = row.status;
        if (!from || !MOVES[from].includes(status)) return undefined;
        const to = (target: TicketStatus) => async (expectedVersion: number) => outcome(await move({ ticketId: row.id, expectedVersion, status: target }));
        const back = async (version: number) => {
          // From closed there is no way back but through open.
          const first = MOVES[status].includes(from) ? undefined : await to("OPEN")(version);
          if (first && !("row" in first && first.row)) return first;
          return to(from)(first?.row?.version ?? version);
        };
        return {
          mine: `status ${STATUS_NAMES[status].toLowerCase()}`, done: `${STATUS_NAMES[status]}: ${row.title}`, send: to(status),
          undo: { mine: `status ${STATUS_NAMES[from].toLowerCase()} again`, send: back },
        };
      },
      assigned: (row: Row, user: { readonly id: string; readonly displayName: string } | null): Deed => {
        const to = (id: string | null) => async (expectedVersion: number) => outcome(await assign({ ticketId: row.id, expectedVersion, assigneeId: id }));
        const name = user ? `assigned to ${user.displayName}` : "assigned to nobody";
        return { mine: name, done: `${row.title}: ${name}`, send: to(user?.id ?? null), undo: { mine: "the assignee before", send: to(row.assignee?.id ?? null) } };
      },
      chosen: (row: Row, kind: Kind, key: string): Deed => ({
        mine: `${kind} ${nameOf(options, kind, key).toLowerCase()}`, done: `${KIND_NAMES[kind]}: ${nameOf(options, kind, key)}`,
        send: valuesSent(row.id, { [kind]: key }), undo: { mine: `the ${kind} before`, send: valuesRestored(row, [kind]) },
      }),
      /** What triage decided becomes a person's word. Undefined where nothing waits for that. */
      accepted: (row: Row): Deed | undefined => {
        const kinds = acceptable(row);
        if (kinds.length === 0) return undefined;
        const values = Object.fromEntries(kinds.map((kind) => [kind, row[kind] ?? ""])) as Values;
        const names = kinds.map((kind) => `${kind} ${nameOf(options, kind, row[kind]).toLowerCase()}`).join(", ");
        return { mine: names, done: `Accepted: ${names}`, send: valuesSent(row.id, values), undo: { mine: "the decision of triage", send: valuesRestored(row, kinds) } };
      },
      shown: (row: Row, audience: TicketAudience): Deed => ({
        mine: audience === "PEOPLE" ? "a people matter" : "no people matter",
        send: async (expectedVersion) => outcome(await show({ ticketId: row.id, expectedVersion, audience })),
      }),
      suggestionTaken: (row: Row): Deed => ({ mine: "what triage suggests", done: "Suggestion accepted", send: async (expectedVersion) => outcome(await take({ ticketId: row.id, expectedVersion })) }),
      suggestionDismissed: (row: Row): Deed => ({ mine: "dismiss what triage suggests", done: "Suggestion dismissed", send: async (expectedVersion) => outcome(await putAway({ ticketId: row.id, expectedVersion })) }),
      retriaged: (row: Row): Deed => ({ mine: "triage it again", send: triaged(row.id) }),
      linked: (row: Row, logIds: string[]): Deed => ({ ...logsChanged(row, logIds, true), done: logIds.length === 1 ? "Log linked" : `${logIds.length} logs linked`, undo: logsChanged(row, logIds, false) }),
      unlinked: (row: Row, logIds: string[]): Deed => ({ ...logsChanged(row, logIds, false), done: "Log unlinked", undo: logsChanged(row, logIds, true) }),
    };
  }, [options, update, move, assign, show, retriage, link, unlink, take, putAway]);
}

export type Actions = ReturnType<typeof useActions>;

/** The properties that hold a value of the machine. */
export function acceptable(row: Row): Kind[] {
  return KINDS.filter((kind) => row[kind] && row[`${kind}Source`] === "TRIAGE");
}
