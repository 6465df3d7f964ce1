// How a server of graphql-transport-ws ends connections that break the protocol. Arguments: URL, token, subscription.
// Prints, for each story, the types of the messages that came and the code and reason of the close.
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import WebSocket from "ws";

const [url, token, query] = process.argv.slice(2);
const init = { type: "connection_init", payload: { authorization: `Bearer ${token}` } };
const subscribe = { id: "1", type: "subscribe", payload: { query } };

const stories = {
  noJson: { sent: ["{"] },
  unknownType: { sent: [init, { type: "begin" }] },
  subscribeWithoutQuery: { sent: [init, { id: "1", type: "subscribe", payload: {} }] },
  queryIsNoText: { sent: [init, { id: "1", type: "subscribe", payload: { query: 7 } }] },
  idIsNoText: { sent: [init, { ...subscribe, id: 1 }] },
  subscribeBeforeInit: { sent: [subscribe] },
  subscribeAfterPingBeforeInit: { sent: [{ type: "ping" }, subscribe] },
  otherSubprotocol: { sent: [init], protocol: "graphql-ws" },
  noSubprotocol: { sent: [init], protocol: null },
  sameIdTwice: { sent: [init, subscribe, subscribe] },
  initTwice: { sent: [init, init] },
  noInit: { sent: [] },
  unknownToken: { sent: [{ type: "connection_init", payload: { authorization: "Bearer none" } }] },
};

const tell = ({ sent, protocol = GRAPHQL_TRANSPORT_WS_PROTOCOL }) =>
  new Promise((resolve) => {
    // Others go as a header: the client itself would hang up on a server that agrees to none of its protocols.
    const socket =
      protocol === GRAPHQL_TRANSPORT_WS_PROTOCOL
        ? new WebSocket(url, protocol)
        : new WebSocket(url, { headers: protocol === null ? {} : { "sec-websocket-protocol": protocol } });
    const received = [];
    socket.on("open", () => sent.forEach((each) => socket.send(typeof each === "string" ? each : JSON.stringify(each))));
    socket.on("message", (data) => received.push(JSON.parse(data).type));
    socket.on("error", (error) => received.push(String(error)));
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString(), received }));
    setTimeout(() => socket.terminate(), 15_000).unref();
  });

const told = await Promise.all(Object.entries(stories).map(async ([name, story]) => [name, await tell(story)]));
console.log(JSON.stringify(Object.fromEntries(told)));
