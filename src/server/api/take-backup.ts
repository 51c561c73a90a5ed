import { createReadStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import type { DoorReply } from '../../protocols/door.ts';
import { jsonReply } from './json-reply.ts';
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
  parts: { wholeFile, log },
}: Pick<RouteCall<unknown, unknown>, 'house' | 'caller' | 'operation' | 'parts'>): Promise<DoorReply> {
  const refusal = house.refuse(caller, 'manage');
  if (refusal !== null) return refusalReply(operation, null, refusal);
  if (wholeFile === null) {
    const message = `data in ${house.about.engine} is not backed up through the API: use the tools of the database, such as pg_dump`;
    return problemReply(operation, 'not-embedded', { status: 409, message });
  }
  await house.audit.flush();
  const copy = await wholeFile.backUp();
  if (copy === null) {
    const message = 'a backup or a check is under way already: try again when it is done';
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

/** Has every page of the database looked at. */
export async function checkWholeFile({
  house,
  caller,
  operation,
  parts: { wholeFile, log },
}: Pick<RouteCall<unknown, unknown>, 'house' | 'caller' | 'operation' | 'parts'>): Promise<DoorReply> {
  const refusal = house.refuse(caller, 'manage');
  if (refusal !== null) return refusalReply(operation, null, refusal);
  if (wholeFile === null) {
    const message = `data in ${house.about.engine} is not checked through the API: use the tools of the database, such as pg_amcheck`;
    return problemReply(operation, 'not-embedded', { status: 409, message });
  }
  const checked = await wholeFile.check();
  if (checked === null) {
    const message = 'a backup or a check is under way already: try again when it is done';
    return problemReply(operation, 'busy', { status: 409, message });
  }
  const { damage } = checked;
  if (damage !== null) log.error('the database is damaged', { damage });
  house.audit.note(caller, 'check', null, { damaged: damage !== null });
  await house.audit.accepted();
  return jsonReply(operation, { damage });
}

function asHeader(text: string): string {
  return text.replaceAll(/[^ -~]+/g, ' ');
}
