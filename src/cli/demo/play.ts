import type { Environment } from '../../ports/environment.ts';
import type { Terminal } from '../terminal.ts';
import { ACTS, type Cast } from './acts.ts';
import { ClientPlayer } from './client-player.ts';
import { findTerraform } from './find-terraform.ts';
import type { Player } from './player.ts';
import { Script, type ActRecord } from './script.ts';
import { Stage } from './stage.ts';
import { TerraformPlayer } from './terraform-player.ts';

/** The whole play, for `--json`. */
export interface PlayRecord {
  /** What Alice and Bob used. */
  readonly client: string;
  readonly acts: readonly ActRecord[];
  /** Whether all was as the house promises. */
  readonly held: boolean;
  readonly milliseconds: number;
}

const NAMES_WIDE = 'Operator'.length;
const OWN_CLIENT = "Statehouse's own client";

/** Plays all acts, and tells what happened. */
export async function play(options: {
  readonly terminal: Terminal;
  readonly env: Environment;
  readonly stopped: AbortSignal;
  readonly noTerraform: boolean;
}): Promise<PlayRecord> {
  const { terminal, stopped } = options;
  const say = (line: string): void => {
    if (!terminal.json) terminal.say(line);
  };
  const began = performance.now();
  const terraform = options.noTerraform ? null : await findTerraform(options.env);
  const client = terraform?.title ?? OWN_CLIENT;
  await using stage = await Stage.set(stopped);
  say(`Alice and Bob work on one state, with ${client}, on a server at ${stage.url}.`);
  const seat = (name: string): Promise<Player> => takeSeat(name, stage, terraform?.program ?? null);
  const [alice, bob] = await Promise.all([seat('Alice'), seat('Bob')]);
  try {
    const cast: Cast = { stage, alice, bob };
    const acts: ActRecord[] = [];
    for (const act of ACTS) {
      const script = new Script(terminal, act.title, NAMES_WIDE);
      await act.play(cast, script);
      acts.push(script.end());
    }
    const held = acts.every(({ claims }) => claims.every((claim) => claim.held));
    const milliseconds = Math.round(performance.now() - began);
    const seconds = (milliseconds / 1_000).toFixed(1);
    say('');
    say(
      held
        ? `Nothing was lost. Played in ${seconds} s.`
        : 'Not all was as it should be: see the marks above.',
    );
    if (held) say('Your own server: statehouse serve');
    return { client, acts, held, milliseconds };
  } finally {
    await Promise.all([alice.close(), bob.close()]);
  }
}

async function takeSeat(name: string, stage: Stage, program: string | null): Promise<Player> {
  const { directory, url } = stage;
  const credential = await stage.credential(name.toLowerCase());
  if (program === null) return new ClientPlayer(name, { directory, url, credential });
  return TerraformPlayer.seat(name, { program, directory, url, credential });
}
