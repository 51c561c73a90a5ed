import type { Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { keeping, retainingOf } from '../../core/retained.ts';
import { isLimited, keptSince, prunable, retainedSince } from '../../core/retention.ts';
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
  const at = await engine.now();
  const newest = await versionsOf(engine, address, { count: Math.max(1, retention.keepVersions ?? 1) });
  const [head] = newest;
  if (head === undefined) return;
  // No version goes that was written later than either: it was superseded later still.
  const since = Math.min(keptSince(retention, at), retainedSince(retention, at));
  const end = await firstOfLate(engine, address, { head, since });
  const before = Math.min(end, newest.at(-1)?.number ?? end);
  const older = await versionsOf(engine, address, { before });
  const all = [...newest, ...older];
  const numbers = new Set(prunable(all, retention, at));
  if (numbers.size === 0) return;
  const floor = await projects.floorOf(address.project);
  const { retained } = (await engine.world(address)).record;
  const versions = all
    .filter(({ number }) => numbers.has(number))
    .map(({ number, at: writtenAt }) => ({ number, at: writtenAt }))
    .filter((version) => {
      const retaining = retainingOf(retained, version, floor.floor ?? null, at);
      return keeping(retaining, at, { bypass: false }) === null;
    });
  if (versions.length > 0)
    await executor.execute({ type: 'prune', address, actor: ACTOR, versions, ...floor });
}

/**
 * The number of the first version that was written later than an instant; where there is none, one more than the newest
 * version's. By halving, so that the many versions of a busy week are not read at each write.
 */
async function firstOfLate(
  engine: Engine,
  address: Address,
  { head, since }: { head: Version; since: Instant },
): Promise<number> {
  if (head.at <= since) return head.number + 1;
  let low = 1;
  let high = head.number;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [version] = await engine.versions(address, { before: middle + 1, limit: 1 });
    if (version === undefined || version.at <= since) low = middle + 1;
    else high = version.number;
  }
  return high;
}

/** Some versions, newest first: at most `count`, and only those before a number. */
async function versionsOf(
  engine: Engine,
  address: Address,
  { before, count = Infinity }: { before?: number; count?: number },
): Promise<readonly Version[]> {
  const versions: Version[] = [];
  let end = before;
  while (versions.length < count) {
    const limit = Math.min(PAGE, count - versions.length);
    const page = await engine.versions(address, { limit, ...(end === undefined ? {} : { before: end }) });
    versions.push(...page);
    if (page.length < limit) break;
    end = page.at(-1)?.number;
  }
  return versions;
}
