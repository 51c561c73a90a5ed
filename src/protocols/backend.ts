import type { Address } from '../core/address.ts';
import type { Environment } from '../ports/environment.ts';
import type { Finding, StateClient } from '../ports/state-client.ts';
import type { BackendAttributes } from './attributes.ts';

/** A backend as a folder or the command line names it. */
export interface BackendChoice {
  readonly type: string;
  readonly attributes: BackendAttributes;
  /** What relative paths are relative to. */
  readonly folder: string;
  readonly env: Environment;
  /** Whether what the configuration names may neither be run nor be read, because it may be a stranger's; false by default. */
  readonly noExternal?: boolean;
}

/** All that the rest of the program must know of one backend of Terraform: its folder exports one. */
export interface BackendEntry {
  /** As the backend block names it: `s3`. */
  readonly name: string;
  readonly secrets: readonly SecretAttribute[];
  /**
   * Opens its client, whose code is loaded only then. Nothing is asked of the backend yet.
   * @throws BackendFault when the configuration is not valid
   */
  readonly open: (choice: BackendChoice) => Promise<StateClient>;
  /** How terraform reaches a Statehouse through this backend; null where a Statehouse has no such door. */
  readonly snippet: ((target: SnippetTarget) => Snippet) | null;
}

/** A backend through which terraform reaches a Statehouse. */
export interface ServedBackend extends BackendEntry {
  /** It takes a key file in place of the secret. */
  readonly keyFiles?: true;
  readonly snippet: (target: SnippetTarget) => Snippet;
  /** It takes a shared access signature in place of the secret. */
  readonly signs?: true;
  /** Tests how terraform would reach a server, where more than its URL is needed for that. */
  readonly examine?: (target: SnippetTarget) => Promise<readonly Finding[]>;
}

/** An attribute of the backend block that is a secret, or has one in it where `pattern` finds it. */
export interface SecretAttribute {
  readonly name: string;
  readonly pattern?: RegExp;
}

/** The names of the attributes that have a secret in them. */
export function secretsIn(entry: BackendEntry, attributes: BackendAttributes): readonly string[] {
  return entry.secrets.flatMap(({ name, pattern }) => {
    const value = attributes[name];
    return typeof value === 'string' && (pattern === undefined || pattern.test(value)) ? [name] : [];
  });
}

/** What a backend block is to reach. */
export interface SnippetTarget {
  /** Whether a key file is wanted in place of the secret. */
  readonly keyFile?: boolean;
  /** Where the server is: `http://127.0.0.1:7117`. */
  readonly url: string;
  readonly address: Address;
  /** Words that stand for the id and the secret where no credential is known. */
  readonly credential: { readonly id: string; readonly secret: string };
  /** The certificate to trust, when the server signed its own. */
  readonly caPath: string | null;
  /** The same in PEM, where it is asked. */
  readonly ca?: string;
  /** Whether variables are wanted where files would do, although they reach every program of the shell. */
  readonly variables: boolean;
  /** Until when a shared access signature in place of the secret is to be good, where one is wanted. */
  readonly sasUntil?: Date;
}

/** A variable to export before terraform runs. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** The variable's value is the content of this file. */
  readonly file?: string;
}

/** What to add to a file. */
export interface SnippetFile {
  readonly path: string;
  readonly text: string;
}

/** What to copy into a folder and a shell so that terraform keeps its state in a Statehouse. */
export interface Snippet {
  /** The backend block, for any .tf file. */
  readonly block: string;
  /** Files that the block is to be used with, and others of the user's that are added to. */
  readonly files: readonly SnippetFile[];
  readonly environment: readonly Variable[];
  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[];
}

/** A block of a Terraform configuration: names lined up as `terraform fmt` would. */
export function formatBlock(
  type: string,
  settings: readonly (readonly [name: string, value: string])[],
): string {
  const wide = Math.max(...settings.map(([name]) => name.length));
  const lines = settings.map(([name, value]) => `    ${name.padEnd(wide)} = ${value}`);
  return ['terraform {', `  backend "${type}" {`, ...lines, '  }', '}'].join('\n');
}

/** A text as Terraform's language writes it. */
export function hclText(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, (sign) => sign + sign);
}
