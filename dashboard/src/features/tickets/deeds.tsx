import { notifications } from "@mantine/notifications";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "@mantine/core";
import { useClient } from "urql";
import { problemOf, type Problem } from "../../app/problem";
import { readFragment, type FragmentType } from "../../gql";
import type { TicketRowFieldsFragment } from "../../gql/graphql";
import { TicketRowFields, TicketStateQuery } from "./queries";

export type Row = TicketRowFieldsFragment;
type Outcome = { readonly row: Row | null } | { readonly problem: Problem };
/** One write on a version that was read. */
export type Send = (version: number) => Promise<Outcome>;

/** Something that a person does to a ticket. */
export interface Deed {
  /** What it comes to, in his words: `status resolved`. */
  readonly mine: string;
  /** What is told when it is done, with the offer to undo it; nothing is told without. */
  readonly done?: string;
  readonly send: Send;
  /** The opposite, and what it comes to. */
  readonly undo?: { readonly mine: string; readonly send: Send };
  readonly then?: () => void;
}

/** Somebody was faster: the ticket as it was read, as it is, and what was wanted. */
export interface Clash {
  readonly deed: Deed;
  readonly read: Row;
  readonly now: Row;
  /** What others did meanwhile, as the history has it. */
  readonly since: Problem["changesSince"];
}

const UNDO_MS = 10_000;
const GONE = new Set(["TICKET_NOT_FOUND", "NOT_FOUND"]);

type RowRef = FragmentType<typeof TicketRowFields>;
type Answer = { readonly ok: { readonly ticket?: RowRef | null }; readonly problem?: undefined } | { readonly ok?: undefined; readonly problem: Problem };

/** What a write with a ticket in its answer comes to. */
export function outcome({ ok, problem }: Answer): Outcome {
  return problem ? { problem } : { row: ok.ticket ? readFragment(TicketRowFields, ok.ticket) : null };
}

/** Does deeds to tickets: tells them with an undo, and keeps what was wanted when somebody else was faster. */
export function useDeeds({ changed, gone }: { readonly changed?: (row: Row) => void; readonly gone: (id: string) => void }) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [clash, setClash] = useState<Clash>();
  const last = useRef<{ readonly id: string; readonly run: () => void }>(undefined);
  const again = useRef<(read: Row, deed: Deed) => Promise<boolean>>(undefined);
  const listeners = useRef({ changed, gone });
  useEffect(() => { listeners.current = { changed, gone }; });

  const look = useCallback(async (id: string): Promise<Outcome> => {
    const result = await client.query(TicketStateQuery, { id }, { requestPolicy: "network-only" }).toPromise();
    if (result.error && !result.data?.ticket) return { problem: problemOf(result.error) };
    return { row: result.data?.ticket ? readFragment(TicketRowFields, result.data.ticket) : null };
  }, [client]);

  const perform = useCallback(async (read: Row, deed: Deed): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    setClash(undefined);
    let result = await deed.send(read.version);
    const refused = "problem" in result ? result.problem : undefined;
    if (refused?.code === "VERSION_CONFLICT") result = await look(read.id);
    setBusy(false);
    if ("problem" in result) {
      if (GONE.has(result.problem.code)) listeners.current.gone(read.id);
      else setProblem(result.problem);
      return false;
    }
    const { row } = result;
    if (row === null) {
      listeners.current.gone(read.id);
      return refused === undefined;
    }
    listeners.current.changed?.(row);
    if (refused) {
      setClash({ deed, read, now: row, since: refused.changesSince });
      return false;
    }
    deed.then?.();
    const { done, undo } = deed;
    if (done !== undefined) tell(done, row, undo && (() => void again.current?.(row, undo)), last);
    return true;
  }, [look]);
  useEffect(() => { again.current = perform; });

  return {
    perform, busy, problem, clash,
    dismiss: useCallback(() => { setClash(undefined); setProblem(undefined); }, []),
    undoLast: useCallback(() => last.current?.run(), []),
  };
}

function tell(title: string, row: Row, undo: (() => void) | undefined, last: { current: { readonly id: string; readonly run: () => void } | undefined }): void {
  if (last.current) notifications.hide(last.current.id);
  const id = `done-${row.id}-${row.version}`;
  const forget = (): void => { if (last.current?.id === id) last.current = undefined; };
  const run = (): void => {
    notifications.hide(id);
    forget();
    undo?.();
  };
  last.current = undo && { id, run };
  notifications.show({
    id, title, autoClose: UNDO_MS, withBorder: true, onClose: forget,
    message: undo ? <Button size="compact-sm" variant="default" onClick={run} mt={4}>Undo (z)</Button> : row.title,
  });
}
