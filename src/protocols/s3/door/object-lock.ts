import {
  RETENTION_MODES,
  type Retaining,
  type Retention,
  type RetentionMode,
} from '../../../core/retained.ts';
import { RETENTION_LIMITS } from '../../../core/retention.ts';
import type { Notes } from '../../../house/states/upload-records.ts';
import type { ProjectRecord } from '../../../house/projects.ts';
import { xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import { emptyReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { invalid, invalidArgument, malformedXml, refused, type S3Error } from './errors.ts';
import { UNSET, xml } from './unset.ts';

/** Amazon S3 user guide, "Object Lock considerations": a year is 365 days. */
const DAYS_OF_YEAR = 365;
/** Where the document of a bucket is kept, which says the unit that it was set in. */
const KEPT = 's3-object-lock';
const LOCK_HEADERS = ['mode', 'retain-until-date', 'legal-hold'] as const;
const BYPASS = 'x-amz-bypass-governance-retention';

/** What a bucket says of new objects; null for nothing. */
interface DefaultRetention {
  readonly mode: RetentionMode;
  readonly days: number;
}

/** What the headers of a request say of the version that is to be written. */
export interface ObjectLock {
  readonly retention: Retention | null;
  readonly legalHold: boolean;
}

type Header = (name: string) => string | undefined;

/** GetObjectLockConfiguration: what was set here, or for the project by other means. */
export async function getObjectLock(call: DoorCall): Promise<Answer> {
  const { projects } = call.house;
  const { bucket } = call.asked;
  const { floor } = await projects.floorOf(bucket);
  const kept = keptDocument(await projects.find(bucket));
  if (kept === null && floor === undefined) {
    return { ...(UNSET['object-lock'] as S3Error), details: { BucketName: bucket } };
  }
  const said = kept === null ? null : readDefault(kept);
  const isSo = (said?.mode ?? floor?.mode) === floor?.mode && (said?.days ?? 0) === (floor?.days ?? 0);
  const document = kept !== null && isSo ? kept : shown(floor ?? null);
  const reply = emptyReply(call, 200, { 'content-type': 'application/xml' });
  return { ...reply, body: Buffer.from(xml('ObjectLockConfiguration', contentOf(document))) };
}

/** PutObjectLockConfiguration: the default retention of a bucket is the floor of the project. */
export async function putObjectLock(call: DoorCall, document: XmlNode): Promise<Answer> {
  const said = readConfiguration(document);
  if (said !== null && 'code' in said) return said;
  const answer = await call.house.projects.set(call.caller, call.asked.bucket, settingsOf(document, said));
  return answer.type === 'set' ? emptyReply(call, 200) : refused(answer);
}

/** A bucket that is made with an object lock, and without a default retention. */
export function enabledObjectLock(): ProjectRecord {
  return { [KEPT]: JSON.stringify(shown(null)) };
}

/** Why nothing can be said of the retention of an object; null where the bucket has an object lock. */
export async function refuseWithoutLock({ house, asked }: DoorCall): Promise<S3Error | null> {
  const { floor } = await house.projects.floorOf(asked.bucket);
  if (floor !== undefined || keptDocument(await house.projects.find(asked.bucket)) !== null) return null;
  return invalid('Bucket is missing Object Lock Configuration');
}

/** Whether an admin lifts what an admin may lift. */
export function bypasses({ request }: DoorCall): boolean {
  return request.header(BYPASS)?.trim().toLowerCase() === 'true';
}

/** Whether the headers of PutObject, CopyObject and CreateMultipartUpload say anything of an object lock. */
export function saysObjectLock(call: DoorCall): boolean {
  return LOCK_HEADERS.some((name) => call.request.header(`x-amz-object-lock-${name}`) !== undefined);
}

/** What they say. */
export async function readObjectLock(call: DoorCall): Promise<ObjectLock | S3Error> {
  const header: Header = (name) => call.request.header(`x-amz-object-lock-${name}`);
  const [mode, date, hold] = LOCK_HEADERS.map(header);
  if ((mode === undefined) !== (date === undefined)) {
    return invalid('x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied');
  }
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    return invalidArgument(
      'x-amz-object-lock-legal-hold',
      hold,
      'Legal Hold must be either of "ON" or "OFF"',
    );
  const known = mode === undefined ? undefined : readMode(mode);
  if (known === null)
    return invalidArgument('x-amz-object-lock-mode', mode ?? '', 'Unknown wormMode directive.');
  const without = await refuseWithoutLock(call);
  if (without !== null) return without;
  const until = date === undefined ? null : await readUntil(call, date);
  if (until !== null && typeof until !== 'number') return until;
  return {
    retention: known === undefined || until === null ? null : { mode: known, until },
    legalHold: hold === 'ON',
  };
}

/** The same as it is kept with an upload in parts. */
export function lockNotes(lock: ObjectLock | null): Notes {
  const { retention = null, legalHold = false } = lock ?? {};
  return {
    ...(retention === null ? {} : { lockMode: retention.mode, lockUntil: String(retention.until) }),
    ...(legalHold ? { legalHold: 'ON' } : {}),
  };
}

/** What was kept of it; null for nothing. */
export function keptLock(notes: Notes = {}): ObjectLock | null {
  const mode = RETENTION_MODES.find((known) => known === notes['lockMode']);
  const retention = mode === undefined ? null : { mode, until: Number(notes['lockUntil']) };
  const legalHold = notes['legalHold'] === 'ON';
  return retention === null && !legalHold ? null : { retention, legalHold };
}

/** PutObjectRetention's document; an empty one takes a retention back. */
export async function readRetention(
  call: DoorCall,
  document: XmlNode,
): Promise<{ retention: Retention | null } | S3Error> {
  if (document.name !== 'Retention') return malformedXml();
  if (document.children.length === 0) return { retention: null };
  const mode = readMode(xmlText(document, 'Mode') ?? '');
  const date = xmlText(document, 'RetainUntilDate');
  if (mode === null || date === null) return malformedXml();
  const until = await readUntil(call, date);
  return typeof until === 'number' ? { retention: { mode, until } } : until;
}

/** How a HEAD tells what keeps a version. */
export function lockHeaders({ retention, legalHold }: Retaining): Record<string, string> {
  return {
    ...(retention === null
      ? {}
      : {
          'x-amz-object-lock-mode': retention.mode.toUpperCase(),
          'x-amz-object-lock-retain-until-date': isoTime(retention.until),
        }),
    ...(legalHold ? { 'x-amz-object-lock-legal-hold': 'ON' } : {}),
  };
}

async function readUntil({ house }: DoorCall, date: string): Promise<number | S3Error> {
  const until = Date.parse(date);
  if (Number.isNaN(until)) return malformedXml();
  const problem = 'The retain until date must be in the future!';
  return until > (await house.now()) ? until : invalidArgument('RetainUntilDate', date, problem);
}

/** A bucket's document as it is kept. */
interface KeptLock {
  readonly mode: string | null;
  readonly days: string | null;
  readonly years: string | null;
}

function readConfiguration(document: XmlNode): DefaultRetention | null | S3Error {
  const enabled = xmlText(document, 'ObjectLockEnabled');
  if (document.name !== 'ObjectLockConfiguration' || enabled !== 'Enabled') return malformedXml();
  const rule = document.children.find(({ name }) => name === 'Rule');
  if (rule === undefined) return null;
  const retention = rule.children.find(({ name }) => name === 'DefaultRetention');
  if (retention === undefined) return malformedXml();
  const [days, years] = [xmlText(retention, 'Days'), xmlText(retention, 'Years')];
  const mode = readMode(xmlText(retention, 'Mode') ?? '');
  const count = days ?? years;
  if (mode === null || count === null || (days !== null && years !== null)) return malformedXml();
  const whole = /^\d{1,6}$/.test(count) ? Number(count) * (days === null ? DAYS_OF_YEAR : 1) : 0;
  if (whole < 1 || whole > RETENTION_LIMITS.retainAtLeast.max) {
    return {
      status: 400,
      code: 'InvalidRetentionPeriod',
      message:
        'The retention period is invalid: expected a whole number of days or years, 100 years at most.',
    };
  }
  return { mode, days: whole };
}

function settingsOf(document: XmlNode, said: DefaultRetention | null): ProjectRecord {
  const retention = document.children
    .find(({ name }) => name === 'Rule')
    ?.children.find(({ name }) => name === 'DefaultRetention');
  const text = (name: string): string | null => (retention === undefined ? null : xmlText(retention, name));
  const kept: KeptLock = { mode: text('Mode'), days: text('Days'), years: text('Years') };
  return {
    [KEPT]: JSON.stringify(kept),
    retainAtLeast: said?.days ?? null,
    retainMode: said?.mode ?? null,
  };
}

function keptDocument(record: ProjectRecord | null): KeptLock | null {
  const text = record?.[KEPT];
  return typeof text === 'string' ? (JSON.parse(text) as KeptLock) : null;
}

function readDefault({ mode, days, years }: KeptLock): DefaultRetention | null {
  const known = readMode(mode ?? '');
  if (known === null) return null;
  return { mode: known, days: days === null ? Number(years) * DAYS_OF_YEAR : Number(days) };
}

function shown(floor: DefaultRetention | null): KeptLock {
  return {
    mode: floor === null ? null : floor.mode.toUpperCase(),
    days: floor === null ? null : String(floor.days),
    years: null,
  };
}

function contentOf({ mode, days, years }: KeptLock): string {
  const period = days === null ? `<Years>${years ?? ''}</Years>` : `<Days>${days}</Days>`;
  const rule = `<Rule><DefaultRetention><Mode>${mode ?? ''}</Mode>${period}</DefaultRetention></Rule>`;
  return `<ObjectLockEnabled>Enabled</ObjectLockEnabled>${mode === null ? '' : rule}`;
}

function readMode(text: string): RetentionMode | null {
  return RETENTION_MODES.find((mode) => mode.toUpperCase() === text) ?? null;
}
