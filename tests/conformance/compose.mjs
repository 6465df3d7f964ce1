// Apollo Federation 2: composes subgraphs. Standard input: {name: SDL}. Prints errors, hints and the supergraph as JSON.
import { text } from "node:stream/consumers";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const subgraphs = JSON.parse(await text(process.stdin));
const services = Object.entries(subgraphs).map(([name, sdl]) => ({ name, url: `http://${name}.invalid`, typeDefs: parse(sdl) }));
const { errors, hints, supergraphSdl } = composeServices(services);
console.log(
  JSON.stringify({
    errors: (errors ?? []).map((error) => error.message),
    hints: (hints ?? []).map((hint) => `${hint.definition.code} ${hint.message}`),
    supergraph: supergraphSdl ?? "",
  }),
);
