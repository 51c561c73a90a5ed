import type { Milliseconds } from '../../../core/instant.ts';
import { EngineFault } from '../../../ports/engine.ts';
import type { Connections } from '../connection.ts';

/** Longer than a silent transaction lives on the server, so that its fate is known by then. */
const ASK_MS_MAX: Milliseconds = 30_000;
const ASK_AGAIN_MS: Milliseconds = 200;

/**
 * Asks the database whether a transaction that ended in doubt was committed.
 *
 * Its mark is put in as "not done" unless it is there already. If the transaction is still under way, that waits for its
 * end, because the mark's id is unique; and once our mark stands, the transaction can never commit. So the answer is
 * final either way, and no pause between question and answer can make it untrue.
 * @throws {EngineFault} when the database does not come back in time
 */
export async function wasCommitted(connections: Connections, schema: string, mark: string): Promise<boolean> {
  const statement = {
    text: `
      INSERT INTO ${schema}.commit_mark AS mark (id, done) VALUES ($1, false)
      ON CONFLICT (id) DO UPDATE SET id = mark.id RETURNING done`,
    values: [mark],
  };
  const deadline = Date.now() + ASK_MS_MAX;
  for (;;) {
    try {
      const { rows } = await connections.write((session) => session.one(statement));
      return rows[0]?.['done'] === true;
    } catch (cause) {
      if (Date.now() > deadline) {
        throw new EngineFault(
          'the connection broke at COMMIT, and the database cannot be asked what became of it',
          {
            cause,
          },
        );
      }
      await new Promise((resolve) => {
        setTimeout(resolve, ASK_AGAIN_MS);
      });
    }
  }
}
