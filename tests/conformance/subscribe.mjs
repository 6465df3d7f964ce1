// graphql-transport-ws with the client `graphql-ws`. Arguments: URL, token, subscription, variables as JSON, item count.
// Prints the items and how the operation ended as JSON; the client itself refuses what is not of the protocol.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, query, variables, count] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  retryAttempts: 0,
  connectionParams: { authorization: `Bearer ${token}` },
});
const items = [];
for await (const item of client.iterate({ query, variables: JSON.parse(variables) })) {
  items.push(item);
  if (items.length === Number(count)) break;
}
await client.dispose();
console.log(JSON.stringify(items));
