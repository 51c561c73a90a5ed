// Takes a database for itself alone, says so, and lets it go after a while.
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../dist/engines/sqlite/files/driver.js';

const [, , path, milliseconds] = process.argv;
const db = openDatabase(path);
db.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE taken (one); INSERT INTO taken VALUES (1)');
process.stdout.write('taken\n');
await sleep(Number(milliseconds));
db.close();
