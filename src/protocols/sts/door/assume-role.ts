import type { Identity } from '../../../core/grant.ts';
import { readRoleArn, sessionArn, STS_NAMESPACE } from '../layout.ts';
import { reply, type Answer, type DoorCall } from './call.ts';
import { error, expired, revoked, type QueryError } from './errors.ts';

/** AWS STS API reference, AssumeRole: seconds, the lowest, the highest and what holds where nothing is said. */
const SECONDS = { from: 900, to: 43_200, fallback: 3_600 } as const;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

/** What is taken and changes nothing here, and what the answer calls it; null for what is a condition of AWS's own side. */
const TAKEN: Readonly<Record<string, string | null>> = {
  Action: null,
  Version: null,
  RoleArn: null,
  RoleSessionName: null,
  DurationSeconds: null,
  ExternalId: null,
  SourceIdentity: 'source-identity',
  Tags: 'session-tags',
  TransitiveTagKeys: 'session-tags',
};
/** Names of what is confirmed and not done, as at the S3 door. */
const UNDONE_HEADER = 'x-statehouse-not-done';

/** AssumeRole makes a session that is no wider than the caller. Nobody else's role can be assumed, whatever its name. */
export async function assumeRole(call: DoorCall): Promise<Answer> {
  const { parameters, settings, caller, house } = call;
  const roleArn = parameters.get('RoleArn') ?? '';
  const role = readRoleArn(roleArn);
  if (role === null)
    return invalid(`RoleArn "${roleArn}" is invalid: expected arn:aws:iam::ACCOUNT:role/NAME.`);
  const name = parameters.get('RoleSessionName') ?? '';
  if (!SESSION_NAME.test(name))
    return invalid('RoleSessionName is invalid: expected 2 to 64 letters, digits and "_+=,.@-".');
  const seconds = parameters.get('DurationSeconds') ?? String(SECONDS.fallback);
  if (!/^\d{1,6}$/.test(seconds) || Number(seconds) < SECONDS.from || Number(seconds) > SECONDS.to)
    return invalid(`DurationSeconds is invalid: expected ${SECONDS.from} to ${SECONDS.to}.`);
  const undone = undoneBy(parameters);
  if ('code' in undone) return undone;
  if (settings.strict && undone.names.length > 0) return notDone(undone.names);
  const { strict } = settings;
  const lasts = Number(seconds) * 1_000;
  const answer = await house.sessions.assume(caller, { ...role, name, lasts, strict });
  switch (answer.type) {
    case 'assumed': {
      const content = {
        AssumedRoleUser: {
          AssumedRoleId: assumedRoleId(caller.identity, name),
          Arn: sessionArn({ ...role, name }),
        },
        Credentials: {
          AccessKeyId: answer.id,
          SecretAccessKey: answer.secret,
          SessionToken: answer.token,
          Expiration: new Date(answer.expiresAt).toISOString(),
        },
      };
      const said = [...(answer.isRole ? [] : ['role']), ...undone.names];
      const done = reply(call, 'AssumeRole', STS_NAMESPACE, content);
      if (said.length === 0) return done;
      return { ...done, headers: { ...done.headers, [UNDONE_HEADER]: said.join(', ') } };
    }
    case 'no-role':
      return error(
        'AccessDenied',
        `${caller.identity.subject} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}: the server is started with --strict-s3, so the role must be the name of the credential itself, or of one that allows nothing more.`,
      );
    case 'revoked':
      return revoked();
    default:
      return expired();
  }
}

/** What AWS puts before the name of a session: here, the credential that it acts for. */
export function assumedRoleId({ credentialId = '' }: Identity, name: string): string {
  return `${credentialId}:${name}`;
}

/** What is asked for and not done; an error for what would make a session less than it is. */
function undoneBy(parameters: ReadonlyMap<string, string>): { readonly names: string[] } | QueryError {
  const names = new Set<string>();
  for (const parameter of parameters.keys()) {
    const [name = ''] = parameter.split('.');
    if (!Object.hasOwn(TAKEN, name)) {
      return invalid(
        `${name} is not supported: a session cannot be narrowed by policies or proven by a further factor here. Leave it out, or name as the role a credential that has fewer grants.`,
      );
    }
    const undone = TAKEN[name] ?? null;
    if (undone !== null) names.add(undone);
  }
  return { names: [...names] };
}

function notDone(names: readonly string[]): QueryError {
  return error(
    'AccessDenied',
    `This server does not do what the request asks for (${names.join(', ')}), and is started with --strict-s3 so that it does not confirm it.`,
  );
}

function invalid(message: string): QueryError {
  return error('ValidationError', message, 400);
}
