// Runs at the edge before the cache is asked: a browser that wants a page at an address without a file gets index.html,
// whose script shows what the address means. Files keep their address, so that a missing one stays a 404.
const noPageBeneath = ['assets', 'v1', 'graphql', 'graphiql'];

function handler(event) {
  const request = event.request;
  const parts = request.uri.split('/').slice(1);
  const isFile = parts[parts.length - 1].includes('.');
  const accept = request.headers.accept ? request.headers.accept.value : '';
  if (!isFile && accept.includes('text/html') && !noPageBeneath.includes(parts[0])) {
    request.uri = '/index.html';
  }
  return request;
}
