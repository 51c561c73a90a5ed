import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sampleState } from '../test/support/sample-state.ts';

// The ceiling: reads every request to its end, answers at once, and keeps nothing.

const state = Buffer.from(sampleState(1, { size: Number(process.argv[2]) }));

const server = createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    const body = request.method === 'GET' ? state : null;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body?.length ?? 0 });
    response.end(body ?? undefined);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
