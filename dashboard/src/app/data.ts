import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useClient, useQuery, useSubscription, type AnyVariables, type CombinedError, type TypedDocumentNode } from "urql";
import { connection } from "./connection";
import { pendingWrite, type PendingWrite } from "./pending";
import { problemOf, readProblem, NETWORK, type Problem } from "./problem";
import { useStore } from "./store";

type Document<Data, Variables extends AnyVariables> = TypedDocumentNode<Data, Variables>;

export interface Loaded<Data> {
  /** What is known; stays on the page while it is asked anew, and when that fails. */
  readonly data: Data | undefined;
  /** True until the first answer. */
  readonly loading: boolean;
  /** The whole answer failed. Parts that failed alone: `problemAt(error, ...path)`. */
  readonly problem: Problem | undefined;
  readonly error: CombinedError | undefined;
  readonly reload: () => void;
}

/** Whether an answer holds anything besides nulls. */
function hasContent(data: unknown): boolean {
  return typeof data === "object" && data !== null && Object.entries(data).some(([name, value]) => name !== "__typename" && value !== null);
}

/** What a page shows, from the cache at once and from the server anew; asked again when a lost connection is back. */
export function useLoaded<Data, Variables extends AnyVariables>(
  query: Document<Data, Variables>, variables: Variables,
  options: { readonly pause?: boolean; /** What was seen before is not shown until the server says that it still may be. */ readonly unseen?: boolean } = {},
): Loaded<Data> {
  const [result, execute] = useQuery<Data>({ query, variables, pause: options.pause ?? false, requestPolicy: options.unseen === true ? "network-only" : "cache-and-network" });
  const reload = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);
  const { round } = useStore(connection);
  const seen = useRef(round);
  useEffect(() => {
    if (seen.current !== round) reload();
    seen.current = round;
  }, [round, reload]);
  const { data } = result;
  // An update that arrives is shown from the cache, which knows what is missing but not why: the server said so before.
  const cached = result.operation?.context.meta?.cacheOutcome === "hit" || result.operation?.context.meta?.cacheOutcome === "partial";
  const [told, setTold] = useState<CombinedError>();
  if (!cached && !result.fetching && result.error !== told) setTold(result.error);
  const error = result.error ?? (cached ? told : undefined);
  const failed = error !== undefined && !hasContent(data);
  return { data, loading: data === undefined && error === undefined, problem: failed ? problemOf(error) : undefined, error, reload };
}

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

export interface Pages<Node, Data = unknown> {
  readonly nodes: readonly Node[];
  /** The newest answer whole: what was asked beside the list. */
  readonly data: Data | undefined;
  readonly loading: boolean;
  readonly loadingMore: boolean;
  readonly hasMore: boolean;
  readonly problem: Problem | undefined;
  readonly more: () => void;
  readonly reload: () => void;
}

/**
 * A list that grows page by page. `variables` must hold everything but `after`; another value of them begins anew.
 *
 * Pages stay as they were read: ten thousand rows are not read again for each further hundred.
 */
export function usePages<Data, Variables extends AnyVariables & { after?: string | null | undefined }, Node>(
  query: Document<Data, Variables>, variables: Omit<Variables, "after">, pick: (data: Data) => Page<Node> | null | undefined,
): Pages<Node, Data> {
  const client = useClient();
  const { round } = useStore(connection);
  const [asked, setAsked] = useState(0);
  const key = JSON.stringify(variables);
  const [state, setState] = useState<{ key: string; nodes: readonly Node[]; end: string | null; hasMore: boolean; busy: boolean; data?: Data | undefined; problem?: Problem | undefined }>(
    { key: "", nodes: [], end: null, hasMore: false, busy: true });
  const picked = useRef(pick);
  useEffect(() => { picked.current = pick; });
  const turn = useRef(0);

  const fetchPage = useCallback(async (after: string | null) => {
    const mine = (turn.current += 1);
    setState((now) => ({ ...now, busy: true }));
    const result = await client.query(query, { ...(JSON.parse(key) as object), after } as unknown as Variables, { requestPolicy: "network-only" }).toPromise();
    if (mine !== turn.current) return;
    // Null when nothing of the answer could be made.
    const page = (result.data as Data | null | undefined) ? picked.current(result.data as Data) : undefined;
    setState((now) => {
      if (!page) return { ...now, key, busy: false, ...(after === null && now.key !== key ? { nodes: [] } : {}), problem: result.error ? problemOf(result.error) : NETWORK };
      return { key, nodes: after === null ? page.nodes : [...now.nodes, ...page.nodes], end: page.pageInfo.endCursor ?? null, hasMore: page.pageInfo.hasNextPage, busy: false, data: result.data };
    });
  }, [client, query, key]);

  useEffect(() => { void fetchPage(null); }, [fetchPage, asked, round]);
  const more = useCallback(() => {
    if (!state.busy && state.hasMore && state.key === key) void fetchPage(state.end);
  }, [state.busy, state.hasMore, state.end, state.key, key, fetchPage]);
  const fresh = state.key === key;
  return {
    nodes: fresh ? state.nodes : [],
    data: state.data,
    loading: !fresh,
    loadingMore: fresh && state.busy,
    hasMore: fresh && state.hasMore,
    problem: fresh ? state.problem : undefined,
    more,
    reload: useCallback(() => setAsked((count) => count + 1), []),
  };
}

const LISTEN_AGAIN_MS = 5_000;

/**
 * Keeps what is on the page up to date: what arrives goes through the cache, so each view of the same thing changes.
 * Why it has ended, when it has: the thing may be gone. It is asked for again as long as the page wants it.
 */
export function useUpdates<Data, Variables extends AnyVariables>(query: Document<Data, Variables>, variables: Variables, options: { readonly pause?: boolean } = {}): Problem | undefined {
  const pause = options.pause ?? false;
  const [{ error }, execute] = useSubscription<Data>({ query, variables, pause });
  useEffect(() => {
    if (error === undefined || pause) return undefined;
    const timer = setTimeout(() => execute(), LISTEN_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [error, execute, pause]);
  return useMemo(() => error && problemOf(error), [error]);
}

type Payload<Data> = Exclude<Data[keyof Data & Exclude<keyof Data, "__typename">], null | undefined>;
type Success<Data> = Extract<Payload<Data>, { __typename: `${string}Success` }>;
export type Written<Data> = { readonly ok: Success<Data>; readonly problem?: undefined } | { readonly ok?: undefined; readonly problem: Problem };

const STILL_RUNNING_TRIES = 3;

function nameOf(document: { readonly definitions: readonly unknown[] }): string {
  const named = document.definitions.find((each) => (each as { kind: string }).kind === "OperationDefinition") as { name?: { value: string } } | undefined;
  return named?.name?.value ?? "";
}

/**
 * A write. The same input sent again, because no answer came, has the same idempotency key and so no second effect, also
 * after a reload. Of what is `secret`, such as a password, nothing is kept, so there a reload begins anew. What `adds`
 * to a thing, such as a comment, is the same write on a later version too.
 * Select `__typename` and `... on UserError { ...ProblemFields }` (and versions of a conflict) on the result union.
 */
export function useWrite<Data, Input extends object>(
  mutation: Document<Data, { input: Input }>, options: { readonly secret?: boolean; readonly adds?: boolean } = {},
): { readonly write: (input: Omit<Input, "idempotencyKey">) => Promise<Written<Data>>; readonly busy: boolean } {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const last = useRef<{ input: string; key: string }>(undefined);
  const { secret = false, adds = false } = options;

  const pending = useCallback(async (input: Omit<Input, "idempotencyKey">): Promise<PendingWrite<Omit<Input, "idempotencyKey">>> => {
    if (!secret) return pendingWrite(nameOf(mutation), input, adds);
    const text = JSON.stringify(input);
    if (last.current?.input !== text) last.current = { input: text, key: crypto.randomUUID() };
    return { key: last.current.key, input, settle: () => { last.current = undefined; } };
  }, [mutation, secret, adds]);

  const write = useCallback(async (wanted: Omit<Input, "idempotencyKey">): Promise<Written<Data>> => {
    setBusy(true);
    try {
      const { key, input, settle } = await pending(wanted);
      for (let tries = 1; ; tries += 1) {
        const result = await client.mutation(mutation, { input: { ...input, idempotencyKey: key } as unknown as Input }).toPromise();
        if (result.error || result.data === undefined) return { problem: result.error ? problemOf(result.error) : NETWORK };
        const payload = Object.entries(result.data as object).find(([name]) => name !== "__typename")?.[1] as { __typename: string; retryAfterSeconds?: number };
        if (payload.__typename.endsWith("Success")) {
          settle();
          return { ok: payload as Success<Data> };
        }
        // The first request with the key still runs, such as the one that this page sent before a reload: its answer is wanted.
        const running = payload.__typename === "IdempotencyInProgress";
        if (!running || tries === STILL_RUNNING_TRIES) {
          if (!running) settle();
          return { problem: readProblem(payload, (result.extensions as { traceId?: string } | undefined)?.traceId) };
        }
        await new Promise((resolve) => setTimeout(resolve, (payload.retryAfterSeconds ?? 1) * 1_000));
      }
    } finally {
      setBusy(false);
    }
  }, [client, mutation, pending]);
  return useMemo(() => ({ write, busy }), [write, busy]);
}
