import type { Authenticated } from '../../aws/authenticate.ts';
import { ACCOUNT_ID } from '../../aws/account.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { arnOf, IAM_NAMESPACE, STS_NAMESPACE, userName } from '../layout.ts';
import type { Operation } from './detect.ts';

/** The service of AWS that each operation is one of, as signatures name it. */
export const SERVICE_OF: Readonly<Record<Operation, 'sts' | 'iam'>> = {
  GetCallerIdentity: 'sts',
  GetUser: 'iam',
};

type Answerer = (authenticated: Authenticated, request: Pick<DoorRequest, 'id'>) => DoorReply;

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, Answerer>> = {
  // What terraform and the aws command ask first of all.
  GetCallerIdentity: ({ identity, accessKeyId }, { id }) =>
    reply(id, 'GetCallerIdentity', STS_NAMESPACE, {
      Arn: arnOf(identity.subject),
      UserId: accessKeyId,
      Account: ACCOUNT_ID,
    }),
  GetUser: ({ identity, accessKeyId }, { id }) =>
    reply(id, 'GetUser', IAM_NAMESPACE, {
      User: {
        Path: '/',
        UserName: userName(identity.subject),
        UserId: accessKeyId,
        Arn: arnOf(identity.subject),
        CreateDate: new Date(0).toISOString(),
      },
    }),
};

function reply(requestId: string, operation: Operation, namespace: string, result: XmlElement): DoorReply {
  const content = { [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: writeXml(`${operation}Response`, content, namespace),
  };
}
