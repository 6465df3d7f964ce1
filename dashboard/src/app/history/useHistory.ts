import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { graphql } from "../../gql";
import type { HistoryQuery as HistoryData, ReplayTarget } from "../../gql/graphql";
import { NETWORK, problemOf, type Problem } from "../problem";

export const HistoryQuery = graphql(`
  query History($target: ReplayTarget!, $first: Int!, $after: String) {
    replayChanges(target: $target) {
      changes(first: $first, after: $after) {
        nodes {
          version changedAt event reason traceId changedBy { id displayName } changedByActor { kind id }
          operations { op path value previous }
        }
      }
    }
  }
`);

export const PAGE = 20;
const CATCH_UP = 100;

type Replayed = NonNullable<HistoryData["replayChanges"]>;
export type Change = NonNullable<Replayed["changes"]>["nodes"][number];

interface Known {
  /** The newest first. */
  readonly changes: readonly Change[];
  /** The version behind which the earliest page that was read begins. */
  readonly begin: number;
}

export interface History {
  readonly changes: readonly Change[] | undefined;
  readonly hasEarlier: boolean;
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  readonly earlier: () => void;
  readonly retry: () => void;
}

/**
 * The changes of a thing, the newest first. The graph tells the oldest first, and the cursor of a change is its version,
 * so the page before version 40 is asked for by its number.
 */
export function useHistory(target: ReplayTarget, version: number): History {
  const client = useClient();
  const key = JSON.stringify(target);
  const [known, setKnown] = useState<Known>();
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<Problem>();
  const asking = useRef(0);

  const read = useCallback(async (after: number, first: number): Promise<Change[] | undefined> => {
    const mine = (asking.current += 1);
    setBusy(true);
    const variables = { target: JSON.parse(key) as ReplayTarget, first, after: after === 0 ? null : String(after) };
    const { data, error } = await client.query(HistoryQuery, variables, { requestPolicy: "network-only" }).toPromise();
    if (mine !== asking.current) return undefined;
    setBusy(false);
    const found = data?.replayChanges?.changes?.nodes;
    setProblem(found ? undefined : error ? problemOf(error) : NETWORK);
    return found && [...found].reverse();
  }, [client, key]);

  const newest = known?.changes[0]?.version;
  const load = useCallback(async () => {
    if (newest === undefined) {
      const begin = Math.max(0, version - PAGE);
      const changes = await read(begin, PAGE);
      if (changes) setKnown({ changes, begin });
      return;
    }
    // It was changed while one looks.
    const added = version > newest ? await read(newest, CATCH_UP) : undefined;
    if (added) setKnown((now) => now && { ...now, changes: [...added, ...now.changes] });
  }, [newest, version, read]);
  useEffect(() => { void load(); }, [load]);

  const earlier = useCallback(async () => {
    if (known === undefined) return;
    const begin = Math.max(0, known.begin - PAGE);
    const changes = await read(begin, known.begin - begin);
    // Nothing there: the history begins later than the thing.
    if (changes) setKnown({ changes: [...known.changes, ...changes], begin: changes.length === 0 ? 0 : begin });
  }, [known, read]);

  const begun = known?.changes.at(-1)?.event === "Genesis";
  return {
    changes: known?.changes, hasEarlier: known !== undefined && known.begin > 0 && !begun, busy, problem,
    earlier: useCallback(() => void earlier(), [earlier]), retry: useCallback(() => void (known === undefined ? load() : earlier()), [known, load, earlier]),
  };
}
