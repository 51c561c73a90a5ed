import { IAM_NAMESPACE, sessionArn, STS_NAMESPACE, userArn, userName } from '../layout.ts';
import { assumeRole, assumedRoleId } from './assume-role.ts';
import { reply, type Answer, type DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { error } from './errors.ts';

/** The service of AWS that each operation is one of, as signatures name it. */
export const SERVICE_OF: Readonly<Record<Operation, 'sts' | 'iam'>> = {
  GetCallerIdentity: 'sts',
  GetUser: 'iam',
  AssumeRole: 'sts',
};

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<Answer>>> = {
  GetCallerIdentity: getCallerIdentity,
  GetUser: getUser,
  AssumeRole: assumeRole,
};

/** What terraform and the aws command ask first of all. */
async function getCallerIdentity(call: DoorCall): Promise<Answer> {
  const { authenticated, settings } = call;
  const { subject, session } = authenticated.identity;
  return reply(
    call,
    'GetCallerIdentity',
    STS_NAMESPACE,
    session === undefined
      ? {
          Arn: userArn(settings.account, subject),
          UserId: authenticated.accessKeyId,
          Account: settings.account,
        }
      : {
          Arn: sessionArn(session),
          UserId: assumedRoleId(authenticated.identity, session.name),
          Account: session.account,
        },
  );
}

async function getUser(call: DoorCall): Promise<Answer> {
  const { authenticated, settings } = call;
  const { subject, session } = authenticated.identity;
  if (session !== undefined)
    return error('ValidationError', 'Must specify userName when calling with non-User credentials', 400);
  return reply(call, 'GetUser', IAM_NAMESPACE, {
    User: {
      Path: '/',
      UserName: userName(subject),
      UserId: authenticated.accessKeyId,
      Arn: userArn(settings.account, subject),
      CreateDate: new Date(0).toISOString(),
    },
  });
}
