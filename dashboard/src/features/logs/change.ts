import { useCallback } from "react";
import { useClient } from "urql";
import type { Problem } from "../../app/problem";
import type { LogNowQuery } from "../../gql/graphql";
import { LogNow } from "./queries";

export type LogAsItIs = NonNullable<LogNowQuery["log"]>;

interface Outcome<Result> {
  readonly result: Result;
  /** What somebody else saved meanwhile, when it was the very thing that was to be changed. */
  readonly theirs?: LogAsItIs | undefined;
}

/**
 * Change one thing of a log. When somebody changed another thing of it meanwhile, the change goes on by itself;
 * when it was the same thing, nothing is written and the person decides.
 */
export function useLogChange(id: string) {
  const client = useClient();
  return useCallback(async <Result extends { readonly problem?: Problem | undefined }>(
    version: number, write: (version: number) => Promise<Result>, untouched: (now: LogAsItIs) => boolean,
  ): Promise<Outcome<Result>> => {
    const result = await write(version);
    if (result.problem?.code !== "VERSION_CONFLICT") return { result };
    const { data } = await client.query(LogNow, { id }, { requestPolicy: "network-only" }).toPromise();
    const theirs = data?.log ?? undefined;
    if (theirs === undefined || !untouched(theirs)) return { result, theirs };
    return { result: await write(theirs.version) };
  }, [client, id]);
}
