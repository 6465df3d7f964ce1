// Apollo Federation 2: one query through a router over two subgraphs, ours over HTTP and a second one in this process.
// The second one answers its root fields as told, and makes a ticket's names from the title that the router brings it.
// Standard input: {supergraph, url, token, second: {sdl, answers: {field: value}}, query}. Prints the answer as JSON.
import { text } from "node:stream/consumers";
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from "@apollo/gateway";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";

const { supergraph, url, token, second, query } = JSON.parse(await text(process.stdin));
const schema = buildSubgraphSchema({
  typeDefs: parse(second.sdl),
  resolvers: {
    Query: Object.fromEntries(Object.entries(second.answers).map(([name, value]) => [name, () => value])),
    Ticket: { postmortemNames: ({ title }) => [`On "${title}"`] },
  },
});
const willSendRequest = ({ request }) => request.http.headers.set("authorization", `Bearer ${token}`);
const router = new ApolloGateway({
  supergraphSdl: supergraph,
  buildService: ({ name }) =>
    name === "aiops" ? new RemoteGraphQLDataSource({ url, willSendRequest }) : new LocalGraphQLDataSource(schema),
});
const { executor } = await router.load();
const answer = await executor({
  document: parse(query),
  request: { query, variables: {}, http: { headers: new Map() } },
  operationName: null,
  queryHash: "1",
  context: {},
  cache: { get: async () => undefined, set: async () => undefined, delete: async () => undefined },
});
await router.stop();
console.log(JSON.stringify(answer));
