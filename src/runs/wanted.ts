import type { Address } from '../core/address.ts';
import { variablesProblem, type RunVariable } from '../core/runs/variables.ts';
import type { RunCause, RunProgram, RunTask } from './records.ts';

const ADDRESSES_MAX = 1_000;
const TEXT_MAX = 1_000;

/** What a run is wanted to be. */
export interface RunWanted extends RunTask {
  readonly configuration: string;
  readonly message: string;
  readonly variables: readonly RunVariable[];
  readonly program: RunProgram;
  /** null for the newest that is installed. */
  readonly version: string | null;
  readonly directory: string;
  /** What `terraform.workspace` is to be; absent for `default`. */
  readonly workspaceName?: string | undefined;
  /** Whether its client shows the plan itself, of logs in JSON; false by default. */
  readonly structured?: boolean;
  /** Plans and saves what it planned, although its configuration does not say so. */
  readonly saves: boolean;
  /** Ends with its plan, although its configuration may be applied; false by default. */
  readonly planOnly?: boolean;
  readonly cause?: RunCause;
  /** Where a run trigger makes it: how many runs have made one another until then. */
  readonly chain?: number;
}

/** What a run is wanted to be that is made of what was applied last; null for the program or the version that it was
 * applied with. */
export interface AgainWanted extends Omit<
  RunWanted,
  'configuration' | 'program' | 'directory' | 'workspaceName' | 'saves'
> {
  readonly program: RunProgram | null;
}

/** What is wrong with what is wanted; null for nothing. */
export function wantedProblem(wanted: RunWanted, { key }: Address): string | null {
  const { targets, replaces, destroy, refreshOnly, message, directory } = wanted;
  const addresses = [...targets, ...replaces];
  if (addresses.length > ADDRESSES_MAX) return `expected at most ${ADDRESSES_MAX} addresses of resources`;
  if (addresses.some((address) => address === '' || address.length > TEXT_MAX))
    return 'invalid address of a resource: expected text such as aws_instance.web[0]';
  if (message.length > TEXT_MAX) return `expected a message of at most ${TEXT_MAX} characters`;
  if (directory.length > TEXT_MAX || directory.startsWith('/') || directory.split('/').includes('..'))
    return 'invalid working directory: expected a relative path without ".."';
  if (destroy && refreshOnly) return 'a run either destroys or only refreshes';
  // What the programs of a run may reach is said by a pattern, in which it would mean any text.
  if (key.includes('*')) return 'a state whose key has a "*" has no runs';
  return variablesProblem(wanted.variables);
}
