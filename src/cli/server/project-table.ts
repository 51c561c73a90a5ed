import type { ProjectShape } from '../../api/shapes/house.ts';
import { QUOTA_OF, QUOTAS, type QuotaMeasure } from '../../core/quota.ts';
import { RETENTION_LIMITS, type RetentionLimit } from '../../core/retention.ts';
import { flagName } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const COLUMNS: readonly string[] = ['SETTING', 'VALUE', 'FROM', 'NOW'];

/** Shows what is set for a project, what applies, and what it keeps. */
export function showProject(terminal: Terminal, project: ProjectShape): void {
  if (terminal.json) {
    terminal.result(project);
    return;
  }
  const { set, effective, quota, announceFirst, retainMode } = project;
  const first = ['announce-first', announceFirst ? 'on' : 'off', announceFirst ? 'project' : 'server', ''];
  const retention = (Object.keys(RETENTION_LIMITS) as RetentionLimit[]).map((name) =>
    rowOf(name, set[name], effective[name] ?? shownUnset(name), ''),
  );
  const quotas = (Object.keys(QUOTA_OF) as QuotaMeasure[]).map((measure) => {
    const name = QUOTA_OF[measure];
    const used = String(Math.ceil(quota.used[measure] / QUOTAS[name].unit));
    return rowOf(name, quota.set[name], quota.effective[name], used);
  });
  const isRetained = effective.retainAtLeast !== null;
  const mode = isRetained
    ? [['retain-mode', retainMode, retainMode === 'governance' ? 'server' : 'project', '']]
    : [];
  terminal.table(COLUMNS, [...retention, ...mode, ...quotas, first]);
}

/** A floor that is not set keeps for 0 days; a limit that is not set does not limit. */
function shownUnset(name: RetentionLimit): number | null {
  return name === 'retainAtLeast' ? 0 : RETENTION_LIMITS[name].fallback || null;
}

function rowOf(name: string, set: number | null, effective: number | null, now: string): string[] {
  return [
    flagName(name).replace(/^--/, ''),
    effective === null ? 'no limit' : String(effective),
    set === null ? 'server' : 'project',
    now,
  ];
}
