// What tsc does not do: carry the migrations beside the compiled code and make the command executable.
// node scripts/finish-build.mjs [DIRECTORY]   dist by default
import { chmodSync, cpSync, existsSync } from 'node:fs';

const [, , built = 'dist'] = process.argv;
cpSync('src', built, { recursive: true, filter: (path) => !path.endsWith('.ts') });
const command = `${built}/cli/main.js`;
if (existsSync(command)) chmodSync(command, 0o755);
