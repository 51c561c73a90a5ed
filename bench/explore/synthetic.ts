import type { FoundResource } from '../../src/core/snapshot/contents.ts';
import type { IndexedState } from '../../src/house/explorer/indexed-state.ts';

/** Of each state. */
export const RESOURCES = 50;
const TYPES = [
  'aws_instance',
  'aws_subnet',
  'aws_iam_role',
  'aws_security_group',
  'aws_route53_record',
] as const;
const PROJECTS = 200;
const TEAMS = 1_000;
const WRITERS = 20;
const BEGAN = 1_700_000_000_000;

/** A kind of question, and one of the kind for any state. */
export interface Question {
  readonly what: string;
  readonly targetOf: (state: number) => string;
}

/** What people ask; the last ones are about what most states have and none has together. */
export const QUESTIONS: readonly Question[] = [
  { what: 'an ID, which one state has', targetOf: (state) => `value=i-${hex(state, 7)}` },
  { what: 'any term, which one state has', targetOf: (state) => `text=${ipOf(state, 3)}` },
  { what: 'an ID and its type', targetOf: (state) => `type=aws_instance&value=i-${hex(state, 5)}` },
  { what: 'a name, which one in a thousand has', targetOf: (state) => `name=team-${state % TEAMS}` },
  { what: 'a type, which all have', targetOf: () => 'type=aws_instance' },
  { what: 'a type and a provider, which all have', targetOf: () => 'type=aws_subnet&provider=aws' },
  { what: 'a type that nothing has', targetOf: () => 'type=google_compute_instance' },
  {
    what: 'a type in one project',
    targetOf: (state) => `type=aws_instance&project=p${state % PROJECTS}`,
  },
  {
    what: 'who wrote it, and when',
    targetOf: () => 'writer=token:ci-7&until=2026-01-01T00:00:00Z',
  },
  { what: 'when it was written, and nothing else', targetOf: () => 'until=2023-11-15T00:00:00Z' },
  {
    what: 'a type, which all have, and a time before all',
    targetOf: () => 'type=aws_instance&until=2020-01-01T00:00:00Z',
  },
  { what: 'a time before all', targetOf: () => 'until=2020-01-01T00:00:00Z' },
  {
    what: 'a type, which all have, and a writer of none',
    targetOf: () => 'type=aws_security_group&writer=token:nobody',
  },
  { what: 'two names, which never go together', targetOf: () => 'name=item-7&type=aws_instance' },
];

/** What the index knows of a state; the 34 texts that all states share are most of what people look for. */
export function contentsOf(state: number): IndexedState {
  return {
    resources: Array.from({ length: RESOURCES }, (_, at) => resourceOf(state, at)),
    more: 0,
    sources: [],
    terraformVersion: '1.11.4',
    writer: `token:ci-${state % WRITERS}`,
    reads: [],
    unread: null,
  };
}

export function nameOf(state: number): string {
  return `p${state % PROJECTS}/team-${state % TEAMS}/state-${state}`;
}

/** When it was written. */
export function timeOf(state: number): number {
  return BEGAN + state * 1_000;
}

function resourceOf(state: number, at: number): FoundResource {
  const type = TYPES[at % TYPES.length] ?? TYPES[0];
  const name = at === 0 ? `team-${state % TEAMS}` : `item-${at}`;
  return {
    address: `module.net.${type}.${name}`,
    module: 'module.net',
    mode: 'managed',
    type,
    name,
    provider: 'registry.terraform.io/hashicorp/aws',
    values: [
      ['id', `i-${hex(state, at)}`],
      ['arn', `arn:aws:ec2:eu-central-1:123456789012:thing/i-${hex(state, at)}`],
      ['private_ip', ipOf(state, at)],
      ['availability_zone', `eu-central-1${'abc'.charAt(at % 3)}`],
      ['tags.Name', `${name}-${state % 5_000}`],
      ['tags.Owner', `owner-${state % 300}`],
    ],
  };
}

function hex(state: number, at: number): string {
  return (state * RESOURCES + at).toString(16).padStart(17, '0');
}

function ipOf(state: number, at: number): string {
  const number = state * RESOURCES + at;
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
