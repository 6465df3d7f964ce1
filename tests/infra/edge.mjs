// Runs the function of the edge as CloudFront does: the file first, then its handler for each request; prints where each goes.
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

const [file, requests] = process.argv.slice(2);
const edge = {};
runInNewContext(`${readFileSync(file, 'utf8')}; edge.handler = handler;`, { edge });
const answers = JSON.parse(requests).map(([uri, accept]) => {
  const headers = accept === null ? {} : { accept: { value: accept } };
  return edge.handler({ request: { method: 'GET', uri, headers } }).uri;
});
console.log(JSON.stringify(answers));
