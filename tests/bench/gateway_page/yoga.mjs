// The peer: graphql-yoga with @grpc/grpc-js, on the same services, with the gateway's own schema. Argument: config file.
// It checks the caller's token and proves itself as the gateway does: Ed25519, each token once and then from memory.
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import DataLoader from "dataloader";
import { GraphQLScalarType } from "graphql";
import { createSchema, createYoga } from "graphql-yoga";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const NAMES = ["auth", "logs", "tickets"];
const capitalized = (name) => name[0].toUpperCase() + name.slice(1);

const protos = grpc.loadPackageDefinition(
  loadSync(
    NAMES.map((name) => `aiops/${name}/v1/${name}_service.proto`),
    { includeDirs: [config.proto], longs: Number, enums: String, defaults: true },
  ),
).aiops;
const stubs = Object.fromEntries(
  NAMES.map((name) => [
    name,
    new protos[name].v1[`${capitalized(name)}Service`](config[`${name}_target`], grpc.credentials.createInsecure()),
  ]),
);

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const ownKey = createPrivateKey(readFileSync(config.key_file));
const ownTokens = new Map();
function ownToken(audience) {
  const [freshUntil, known] = ownTokens.get(audience) ?? [0, ""];
  if (Date.now() < freshUntil) return known;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "gateway", aud: audience, iat: now, exp: now + 60, jti: randomBytes(16).toString("hex") };
  const signed = `${part({ alg: "EdDSA", kid: "gateway", typ: "svc+jwt" })}.${part(claims)}`;
  const token = `${signed}.${sign(null, Buffer.from(signed), ownKey).toString("base64url")}`;
  ownTokens.set(audience, [Date.now() + 40_000, token]);
  return token;
}

const [jwk] = JSON.parse(config.jwks).keys;
const publicKey = createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: "jwk" });
const viewers = new Map();
function viewerOf(token) {
  const known = viewers.get(token);
  if (known && known.exp * 1000 > Date.now()) return known;
  const [head, body, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  const genuine = verify(null, Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"));
  if (!genuine || claims.iss !== "aiops" || claims.aud !== "aiops" || claims.exp * 1000 <= Date.now())
    throw new Error("unauthenticated");
  viewers.set(token, claims);
  return claims;
}

function caller(token) {
  const trace = randomBytes(16).toString("hex");
  return (service, method, request) =>
    new Promise((resolve, reject) => {
      const metadata = new grpc.Metadata();
      metadata.set("authorization", `Bearer ${ownToken(service)}`);
      metadata.set("x-aiops-on-behalf-of", `Bearer ${token}`);
      metadata.set("traceparent", `00-${trace}-${randomBytes(8).toString("hex")}-01`);
      stubs[service][method](request, metadata, { deadline: Date.now() + 5000 }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
}
const byId = (ids, rows) => {
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
};
function context({ request }) {
  const token = request.headers.get("authorization").slice("Bearer ".length);
  viewerOf(token);
  const call = caller(token);
  return {
    call,
    users: new DataLoader(async (ids) => byId(ids, (await call("auth", "batchGetUsers", { ids })).users)),
    logs: new DataLoader(async (ids) => byId(ids, (await call("logs", "batchGetLogs", { ids })).logs)),
  };
}

const time = new GraphQLScalarType({
  name: "DateTime",
  serialize: ({ seconds }) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`, // all are whole seconds here
});
const prefixed = (prefix, ...names) => Object.fromEntries(names.map((name) => [name, `${prefix}_${name}`]));
const orNull = (field) => (row) => row[field] || null;
const resolvers = {
  DateTime: time,
  TicketStatus: prefixed("TICKET_STATUS", "OPEN", "IN_PROGRESS", "WAITING", "RESOLVED", "CLOSED"),
  LogSource: prefixed("LOG_SOURCE", "PASTE", "UPLOAD", "STREAM"),
  LogState: prefixed("LOG_STATE", "RECEIVED", "SUMMARIZED", "FAILED"),
  LogStatus: prefixed("LOG_STATUS", "OPEN", "ACKNOWLEDGED", "RESOLVED"),
  Severity: prefixed("SEVERITY", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
  Role: prefixed("ROLE", "ADMIN", "OPS", "HR"),
  Query: {
    tickets: async (_root, { first }, { call }) => {
      const answer = await call("tickets", "listTickets", { page: { first } });
      return { nodes: answer.tickets, pageInfo: answer.pageInfo };
    },
  },
  Ticket: {
    service: orNull("service"),
    category: orNull("category"),
    priority: orNull("priority"),
    team: orNull("team"),
    logs: (ticket, _arguments, { logs }) => logs.loadMany(ticket.logIds),
  },
  Reporter: { user: ({ userId }, _arguments, { users }) => (userId ? users.load(userId) : null) },
  Log: { service: orNull("service") },
  PageInfo: { endCursor: orNull("endCursor") },
};

const schema = createSchema({
  typeDefs: readFileSync(config.schema, "utf8"),
  resolvers,
  assumeValidSDL: true,
  resolverValidationOptions: { requireResolversToMatchSchema: "ignore" },
});
const [host, port] = config.yoga.split(":");
createServer(createYoga({ schema, context, logging: false, graphiql: false })).listen(Number(port), host);
