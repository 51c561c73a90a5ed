import { createReadStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import type { DoorReply } from '../../protocols/door.ts';
import { problemReply } from '../../protocols/wire/problem.ts';
import { refusalReply } from './refusal-reply.ts';
import type { RouteCall } from './route.ts';

/** Says what is wrong with the database, where something is. */
const DAMAGE_HEADER = 'x-statehouse-damage';

/** Has a copy of everything made, gives it, and removes it. */
export async function takeBackup({
  house,
  caller,
  operation,
  parts: { backUp, log },
}: Pick<RouteCall<unknown, unknown>, 'house' | 'caller' | 'operation' | 'parts'>): Promise<DoorReply> {
  const refusal = house.refuse(caller, 'manage');
  if (refusal !== null) return refusalReply(operation, null, refusal);
  if (backUp === null) {
    const message = `data in ${house.about.engine} is not backed up through the API: use the tools of the database, such as pg_dump`;
    return problemReply(operation, 'not-embedded', { status: 409, message });
  }
  await house.audit.flush();
  const copy = await backUp();
  if (copy === null) {
    const message = 'a backup is being made already: try again when it is done';
    return problemReply(operation, 'busy', { status: 409, message });
  }
  const { path, damage } = copy;
  if (damage !== null) log.error('a copy was made of a database that is damaged', { damage });
  const { size } = await stat(path);
  house.audit.note(caller, 'backup', null, { bytes: size });
  await house.audit.accepted();
  if (damage === null) await house.backups.taken();
  const remove = (): void => {
    unlink(path).catch((fault: unknown) => log.warn('a copy could not be removed', { fault: String(fault) }));
  };
  const file = createReadStream(path);
  file.once('close', remove);
  return {
    operation,
    status: 200,
    headers: {
      'content-type': 'application/vnd.sqlite3',
      'content-length': String(size),
      ...(damage === null ? {} : { [DAMAGE_HEADER]: asHeader(damage) }),
    },
    body: file,
    undelivered: () => file.destroy(),
  };
}

function asHeader(text: string): string {
  return text.replaceAll(/[^ -~]+/g, ' ');
}
