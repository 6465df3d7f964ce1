import type { RecordedChange } from "./history/words";

/** What went wrong and what to do, in one shape, wherever it comes from: a union's error type, GraphQL, a door, the network. */
export interface Problem {
  /** A name of the ErrorReason list; NETWORK when no answer came. */
  readonly code: string;
  readonly message: string;
  /** Finds the log lines of the request. */
  readonly traceId?: string | undefined;
  readonly fields?: readonly { readonly path: string; readonly message: string }[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** The version that the thing has now, after a conflict. */
  readonly actual?: number | undefined;
  /** What others did since it was read, after a conflict. */
  readonly changesSince?: readonly RecordedChange[] | undefined;
}

export const NETWORK: Problem = {
  code: "NETWORK",
  message: "The server did not answer. Nothing was lost: try again when the connection is back.",
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Reads an error type of a result union, or the body of a door's refusal (RFC 9457). */
export function readProblem(body: unknown, traceId?: string): Problem {
  if (!isRecord(body)) return { code: "INTERNAL", message: "The server answered in a way that this page does not know.", traceId };
  const fields = Array.isArray(body.fields) ? body.fields : undefined;
  return {
    code: text(body.code) ?? "INTERNAL",
    message: text(body.message) ?? text(body.detail) ?? text(body.title) ?? "The server refused without a word.",
    traceId: text(body.trace_id) ?? text(body.traceId) ?? traceId,
    fields: fields as Problem["fields"],
    retryAfterSeconds: number(body.retryAfterSeconds) ?? number(body.retry_after_seconds),
    actual: number(body.actual),
    changesSince: Array.isArray(body.changesSince) ? body.changesSince as readonly RecordedChange[] : undefined,
  };
}

interface GraphQLFailure {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Record<string, unknown> | undefined;
}

interface Failure {
  readonly networkError?: Error | undefined;
  readonly graphQLErrors: readonly GraphQLFailure[];
}

/** The problem of an operation that failed as a whole or in part. */
export function problemOf(error: Failure): Problem {
  const first = error.graphQLErrors[0];
  if (first === undefined) return NETWORK;
  return { code: text(first.extensions?.code) ?? "INTERNAL", message: first.message, traceId: text(first.extensions?.traceId) };
}

/** The problem of one field of an answer that otherwise arrived, such as `["log", "tickets"]`; undefined when it is well. */
export function problemAt(error: Failure | undefined, ...path: readonly string[]): Problem | undefined {
  const failed = error?.graphQLErrors.find((each) => {
    const names = (each.path ?? []).filter((part) => typeof part === "string");
    return path.every((part, index) => names[index] === part);
  });
  return failed && problemOf({ graphQLErrors: [failed] });
}
