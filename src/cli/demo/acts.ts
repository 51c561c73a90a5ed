import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../failure.ts';
import type { Apply, ApplyEnd, ApplyPlan, Player } from './player.ts';
import type { Script } from './script.ts';
import type { Stage } from './stage.ts';

/** As much of the stage as the acts need. */
export type StageView = Pick<Stage, 'scene' | 'lock' | 'breakLock' | 'handovers' | 'untilParked' | 'soon'>;

/** Who plays, and where. */
export interface Cast {
  readonly stage: StageView;
  readonly alice: Player;
  readonly bob: Player;
}

export interface Act {
  readonly title: string;
  readonly play: (cast: Cast, script: Script) => Promise<void>;
}

/** The four acts, in order: each begins where the one before ended. */
export const ACTS: readonly Act[] = [
  { title: '1. Neither takes the lock (-lock=false)', play: playWithoutLock },
  { title: '2. Both take the lock', play: playInLine },
  { title: '3. An apply is killed', play: playCrash },
  { title: '4. A paused apply comes back', play: playZombie },
];

async function playWithoutLock({ stage, alice, bob }: Cast, script: Script): Promise<void> {
  const first = await ended(stage, alice, { changes: both(1), lock: 'at-once' });
  mustBe('done', first);
  const { serial } = await stage.scene();
  script.tell(alice.name, `applies web = 1 and db = 1: the state has serial ${serial}`);
  const slow = await begun(stage, alice, { changes: [{ thing: 'web', to: 2 }], lock: 'none' });
  script.tell(alice.name, `reads serial ${serial}, sets web = 2, and takes her time`);
  mustBe('done', await ended(stage, bob, { changes: [{ thing: 'db', to: 2 }], lock: 'none' }));
  const between = await stage.scene();
  script.tell(bob.name, `reads serial ${serial} too, sets db = 2, and is faster: serial ${between.serial}`);
  slow.carryOn();
  const end = await stage.soon("Alice's apply", slow.end);
  script.tell(alice.name, 'comes with a state that knows nothing of db = 2');
  refusedWrite(script, end, "her stale write is refused, so Bob's change is not lost");
  script.claim('db = 2 is still there', (await stage.scene()).values.db === 2);
}

async function playInLine({ stage, alice, bob }: Cast, script: Script): Promise<void> {
  const before = stage.handovers;
  const first = await begun(stage, alice, { changes: [{ thing: 'web', to: 3 }], lock: 'at-once' });
  script.tell(alice.name, 'takes the lock and sets web = 3');
  const second = bob.apply({ changes: [{ thing: 'db', to: 3 }], lock: 'wait' });
  second.carryOn();
  await stage.untilParked();
  const { line } = await stage.lock();
  script.tell(bob.name, `asks with -lock-timeout, and stands in line at place ${line.length}`);
  first.carryOn();
  mustBe('done', await stage.soon("Alice's apply", first.end));
  script.tell(alice.name, 'is done and releases the lock');
  mustBe('done', await stage.soon("Bob's apply", second.end));
  script.tell(bob.name, 'sets db = 3');
  const { values } = await stage.scene();
  script.claim(
    'the lock went from Alice to Bob in one step, without a second asking',
    stage.handovers > before,
  );
  script.claim('both changes are kept: web = 3 and db = 3', values.web === 3 && values.db === 3);
}

async function playCrash({ stage, alice, bob }: Cast, script: Script): Promise<void> {
  const doomed = await begun(stage, alice, { changes: [{ thing: 'web', to: 4 }], lock: 'at-once' });
  script.tell(alice.name, 'takes the lock and begins to set web = 4');
  doomed.kill();
  mustBe('killed', await stage.soon("Alice's apply", doomed.end));
  script.tell(alice.name, 'is killed in the middle of it (kill -9): the lock is not released');
  const refused = await ended(stage, bob, { changes: [{ thing: 'db', to: 4 }], lock: 'at-once' });
  script.tell(bob.name, 'wants to set db = 4');
  if (refused.type === 'lock-refused') script.quote(refused.words);
  script.claim('the lock outlives its holder, so Bob is refused', refused.type === 'lock-refused');
  script.tell('Operator', `sees in "statehouse locks": ${await holderInWords(stage)}`);
  const broken = await stage.breakLock();
  script.tell(
    'Operator',
    'makes sure that her apply is dead, and breaks the lock: "statehouse force-unlock"',
  );
  const again = await ended(stage, bob, { changes: [{ thing: 'db', to: 4 }], lock: 'at-once' });
  script.tell(bob.name, 'applies again');
  const { values } = await stage.scene();
  script.claim('the lock is broken, and Bob sets db = 4', broken && again.type === 'done' && values.db === 4);
  script.claim('nothing half-written is there: web is still 3', values.web === 3);
}

async function playZombie({ stage, alice, bob }: Cast, script: Script): Promise<void> {
  const asleep = await begun(stage, alice, { changes: [{ thing: 'web', to: 5 }], lock: 'at-once' });
  script.tell(alice.name, 'takes the lock, begins to set web = 5, and closes her laptop');
  const broken = await stage.breakLock();
  script.tell('Operator', 'believes that her apply has ended, and breaks the lock');
  mustBe('done', await ended(stage, bob, { changes: [{ thing: 'db', to: 5 }], lock: 'at-once' }));
  script.tell(bob.name, 'sets db = 5');
  asleep.carryOn();
  const end = await stage.soon("Alice's apply", asleep.end);
  script.tell(alice.name, 'opens her laptop, and her apply goes on where it was');
  refusedWrite(script, end, 'she no longer holds the lock, so her late write is refused');
  const { values } = await stage.scene();
  script.claim('db = 5 is still there', broken && values.db === 5);
  mustBe('done', await ended(stage, alice, { changes: [{ thing: 'web', to: 5 }], lock: 'at-once' }));
  script.tell(alice.name, 'applies once more, on the newest state');
  const last = await stage.scene();
  script.claim('web = 5 and db = 5', last.values.web === 5 && last.values.db === 5);
}

function refusedWrite(script: Script, end: ApplyEnd, says: string): void {
  if (end.type === 'write-refused') script.quote(end.words);
  script.claim(says, end.type === 'write-refused');
  const keptIn = end.type === 'write-refused' ? end.keptIn : null;
  script.claim(
    `her own is not lost either: it is in ${keptIn === null ? 'errored.tfstate' : basename(keptIn)}`,
    keptIn !== null && existsSync(keptIn),
  );
}

/** An apply that is in the midst of its work. */
async function begun(stage: StageView, player: Player, plan: ApplyPlan): Promise<Apply> {
  const apply = player.apply(plan);
  await stage.soon(`${player.name}'s apply`, apply.atWork);
  return apply;
}

/** An apply from its beginning to its end. */
async function ended(stage: StageView, player: Player, plan: ApplyPlan): Promise<ApplyEnd> {
  const apply = player.apply(plan);
  apply.carryOn();
  return stage.soon(`${player.name}'s apply`, apply.end);
}

/** What the play rests on; without it there is nothing to show. */
function mustBe(wanted: ApplyEnd['type'], end: ApplyEnd): void {
  if (end.type === wanted) return;
  const words = 'words' in end ? end.words : '';
  throw new Failure(`an apply that should have been ${wanted} ended as ${end.type}`, { next: words });
}

async function holderInWords(stage: StageView): Promise<string> {
  const { holders } = await stage.lock();
  return holders
    .map(
      ({ subject, since }) =>
        `${subject} holds it for ${formatDuration(Math.max(1_000, Date.now() - since))}`,
    )
    .join(', ');
}

function both(to: number): ApplyPlan['changes'] {
  return [
    { thing: 'web', to },
    { thing: 'db', to },
  ];
}
