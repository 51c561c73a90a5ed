// What tsc does not do: carry the migrations beside the compiled code and make the command executable.
import { chmodSync, cpSync, existsSync } from 'node:fs';

cpSync('src', 'dist', { recursive: true, filter: (path) => !path.endsWith('.ts') });
if (existsSync('dist/cli/main.js')) chmodSync('dist/cli/main.js', 0o755);
