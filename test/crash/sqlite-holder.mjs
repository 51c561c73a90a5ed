// Opens a data directory, says so, and stays until it is killed.
import { SqliteEngine } from '../../dist/engines/sqlite/engine.js';

await SqliteEngine.open({ directory: process.argv[2] });
process.stdout.write('open\n');
