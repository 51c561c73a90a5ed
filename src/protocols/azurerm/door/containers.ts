import { projectProblem } from '../../../core/address.ts';
import { documentReply, emptyReply, type Answer, type DoorCall } from './call.ts';
import { noSuchContainer, refused, type AzureError } from './errors.ts';
import { pageOf, readTerms, termElements } from './listing.ts';
import { originOf } from './origin.ts';

/** Containers are projects: those that were made, and those that have a state. */
export async function listContainers(call: DoorCall): Promise<Answer> {
  const { house, caller, asked, request } = call;
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const seen = await house.projects.seen(caller);
  if (seen.type !== 'seen') return refused(seen);
  const named = seen.projects.filter(({ name }) => name.startsWith(terms.prefix));
  const { page, next } = pageOf(named, terms);
  return documentReply(
    call,
    'EnumerationResults',
    {
      ...termElements(terms, asked),
      Containers: {
        Container: page.map(({ name, since }) => ({
          Name: name,
          Properties: { ...containerTimes(name, since), ...STANDING },
        })),
      },
      NextMarker: next,
    },
    { ServiceEndpoint: `${originOf(request)}/` },
  );
}

/** A container as it always is: private, and nobody's alone. */
const STANDING = {
  LeaseStatus: 'unlocked',
  LeaseState: 'available',
  HasImmutabilityPolicy: false,
  HasLegalHold: false,
} as const;

/** A project needs no making, but one that was made is seen before it has a state. */
export async function createContainer(call: DoorCall): Promise<Answer> {
  const { house, caller, asked } = call;
  const problem = projectProblem(asked.container);
  if (problem !== null)
    return { status: 400, code: 'InvalidResourceName', message: `invalid container name: ${problem}` };
  const answer = await house.projects.make(caller, asked.container);
  if (answer.type === 'made-before')
    return {
      status: 409,
      code: 'ContainerAlreadyExists',
      message: 'The specified container already exists.',
    };
  if (answer.type !== 'made') return refused(answer);
  return emptyReply(call, 201, containerHeaders(asked.container, await house.now()));
}

export async function getContainerProperties(call: DoorCall): Promise<Answer> {
  const since = await find(call);
  if (typeof since !== 'number') return since;
  return emptyReply(call, 200, {
    ...containerHeaders(call.asked.container, since),
    'x-ms-lease-status': STANDING.LeaseStatus,
    'x-ms-lease-state': STANDING.LeaseState,
    'x-ms-has-immutability-policy': 'false',
    'x-ms-has-legal-hold': 'false',
    'x-ms-default-encryption-scope': '$account-encryption-key',
    'x-ms-deny-encryption-scope-override': 'false',
  });
}

/** There are no access policies, and nothing is public. */
export async function getContainerAcl(call: DoorCall): Promise<Answer> {
  const since = await find(call);
  if (typeof since !== 'number') return since;
  const reply = documentReply(call, 'SignedIdentifiers', {});
  return { ...reply, headers: { ...reply.headers, ...containerHeaders(call.asked.container, since) } };
}

/** Since when there is a project of this name that the caller may know of. */
async function find({ house, caller, asked }: DoorCall): Promise<number | AzureError> {
  const look = await house.projects.look(caller, asked.container);
  if (look.type === 'absent') return noSuchContainer();
  if (look.type !== 'present') return refused(look);
  return (await house.projects.find(asked.container))?.createdAt ?? 0;
}

function containerTimes(name: string, since: number): { 'Last-Modified': string; Etag: string } {
  return { 'Last-Modified': new Date(since).toUTCString(), Etag: `"${etagOf(name, since)}"` };
}

function containerHeaders(name: string, since: number): Record<string, string> {
  return { etag: `"${etagOf(name, since)}"`, 'last-modified': new Date(since).toUTCString() };
}

function etagOf(name: string, since: number): string {
  return `0x${since.toString(16).toUpperCase()}${name.length.toString(16).toUpperCase()}`;
}
