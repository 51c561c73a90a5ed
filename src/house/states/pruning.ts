import type { Address } from '../../core/address.ts';
import { isLimited, prunable } from '../../core/retention.ts';
import type { Version } from '../../core/world.ts';
import type { Engine } from '../../ports/engine.ts';
import type { CommandExecutor } from '../executor.ts';
import type { Projects } from '../projects.ts';

/** Versions that are read at a time. */
const PAGE = 1_000;
const ACTOR = { subject: 'house:retention', door: 'house' } as const;

/**
 * Drops the versions that retention no longer keeps, each time that a new one was stored: by a write or by a restore.
 * @returns a function that ends it
 */
export function pruneWhatIsSuperseded(executor: CommandExecutor, projects: Projects): () => void {
  return executor.listen(({ address }, { outcome }) => {
    if (outcome.type !== 'stored' || outcome.repeat) return;
    executor.inBackground(prune(executor, projects, address), 'old versions could not be pruned');
  });
}

/** Does nothing where no retention is set. */
async function prune(executor: CommandExecutor, projects: Projects, address: Address): Promise<void> {
  const retention = await projects.retentionOf(address.project);
  if (!isLimited(retention)) return;
  const { engine } = executor;
  const numbers = prunable(await allVersions(engine, address), retention, await engine.now());
  if (numbers.length > 0) await executor.execute({ type: 'prune', address, actor: ACTOR, numbers });
}

async function allVersions(engine: Engine, address: Address): Promise<readonly Version[]> {
  const versions: Version[] = [];
  for (;;) {
    const before = versions.at(-1)?.number;
    const query = { limit: PAGE, ...(before === undefined ? {} : { before }) };
    const page = await engine.versions(address, query);
    versions.push(...page);
    if (page.length < PAGE) return versions;
  }
}
