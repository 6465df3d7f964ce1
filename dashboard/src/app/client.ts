import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { createClient as createSocket } from "graphql-ws";
import { Client, fetchExchange, mapExchange, subscriptionExchange, type OperationResult } from "urql";
import schema from "../gql/schema";
import { reportLost } from "./connection";
import { goodToken, renew, reviewRole, session } from "./session";

const socket = createSocket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
  lazy: true,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  // Auth took something away: a role, or the session. The token tells the old story until its end.
  on: { closed: (event) => { if (event instanceof CloseEvent && event.code === 4403) void renew(); } },
  connectionParams: async () => ({ authorization: `Bearer ${await goodToken()}` }),
});

/** Types without an identity of their own are kept inside of what holds them. */
const keys = new Proxy<Record<string, (data: { id?: unknown }) => string | null>>({}, {
  get: () => (data: { id?: unknown }) => (typeof data.id === "string" ? data.id : null),
  has: () => true,
});

/** Whether something was refused for want of a right, as an error or as the answer of a write. */
function wantsRight({ data, error }: OperationResult<unknown>): boolean {
  if (error?.graphQLErrors.some((each) => each.extensions.code === "FORBIDDEN")) return true;
  return Object.values((data ?? {}) as Record<string, { __typename?: string } | null>).some((part) => part?.__typename === "ForbiddenError");
}

export const client = new Client({
  url: "/graphql",
  preferGetMethod: false,
  requestPolicy: "cache-and-network",
  exchanges: [
    cacheExchange({ schema: schema as never, keys }),
    mapExchange({
      onError: (error) => { if (error.networkError && error.response === undefined) reportLost(); },
      onResult: (result) => { if (wantsRight(result)) reviewRole(); },
    }),
    authExchange(async (utilities) => {
      let token = await goodToken();
      session.watch(() => {
        const now = session.get();
        if (now.state === "in") ({ token } = now);
      });
      return {
        addAuthToOperation: (operation) => utilities.appendHeaders(operation, { Authorization: `Bearer ${token}` }),
        willAuthError: () => {
          const now = session.get();
          return now.state !== "in" || now.expiresAt - Date.now() < 5_000;
        },
        didAuthError: (error) => error.graphQLErrors.some((each) => each.extensions.code === "UNAUTHENTICATED"),
        refreshAuth: async () => {
          if (session.get().state === "in") await renew();
          token = await goodToken();
        },
      };
    }),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: socket.subscribe({ query: query ?? "", variables }, {
            next: (result) => sink.next(result as never),
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
          }),
        }),
      }),
    }),
  ],
});
