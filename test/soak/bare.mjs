// A bare server beside the one that is tried: it answers what it is told to answer, and flushes to a disk what it is sent. What slows this
// one down comes from the machine.
import { fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';

const [file, answerBytes] = process.argv.slice(2);
const disk = openSync(file, 'w');
const answer = 'x'.repeat(Number(answerBytes));
const writeAt = promisify(write);
const flush = promisify(fdatasync);

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === 'GET') {
    response.end(answer);
    return;
  }
  await writeAt(disk, Buffer.concat(chunks), { position: 0 });
  await flush(disk);
  response.end();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
