"use strict";

// Headers are typed in the editor: {"authorization": "Bearer ..."}. The same go along with a subscription.
let headers = {};

const socket = graphqlWs.createClient({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
  lazy: true,
  connectionParams: () => headers,
});

const fetcher = GraphiQL.createFetcher({ url: "/graphql", wsClient: socket });

function fetchWithHeaders(operation, options) {
  headers = (options && options.headers) || {};
  return fetcher(operation, options);
}

const welcome = `# Log in, then put the access token under "Headers" below:
# { "authorization": "Bearer <accessToken>" }
mutation LogIn($input: LogInInput!) {
  logIn(input: $input) {
    __typename
    ... on LogInSuccess { session { accessToken } user { displayName role } }
    ... on UserError { code message }
  }
}

query Logs {
  logs(first: 5) {
    nodes { id name state summary { sentences { text records { lineNumber body } } } }
  }
}
`;

ReactDOM.render(
  React.createElement(GraphiQL, {
    fetcher: fetchWithHeaders,
    defaultQuery: welcome,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: "headers",
  }),
  document.getElementById("graphiql"),
);
