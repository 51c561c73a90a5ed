import { isSea } from 'node:sea';

/** The command that runs a script with the Node.js of this process, which may be inside a single executable. */
export function scriptCommand(script: string): readonly [program: string, ...words: string[]] {
  return isSea() ? [process.execPath, '--node-script', script] : [process.execPath, script];
}
