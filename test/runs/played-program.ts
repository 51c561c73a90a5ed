import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version that a played program says it has. */
export const PLAYED_VERSION = '1.2.3';

/** Plays terraform: what it does in a phase is a shell script of the configuration, `plan.sh` or `apply.sh`, if there is one. */
const SCRIPT = `#!/bin/sh
for word; do case $word in -out=*) out=\${word#-out=};; esac; done
case $1 in
  init) [ ! -e init.sh ] || . ./init.sh;;
  show) [ ! -e show.json ] || { cat show.json; exit 0; }; echo '{"format_version":"1.2","resource_changes":[{"change":{"actions":["create"]}}]}';;
  providers) echo '{"format_version":"1.0","provider_schemas":{}}';;
  plan) [ ! -e plan.sh ] || . ./plan.sh; echo plan > "$out"; exit \${code:-2};;
  apply) [ ! -e apply.sh ] || . ./apply.sh;;
esac
`;

/** A directory of programs of runs, with one that is played. @returns its path, and what takes it away */
export async function playedPrograms(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'statehouse-programs-'));
  await writeFile(join(path, `terraform_${PLAYED_VERSION}`), SCRIPT, { mode: 0o755 });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
