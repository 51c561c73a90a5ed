import type { Address } from '../core/address.ts';

/** What a backend block is to reach. */
export interface BlockTarget {
  /** Where the house is: `http://127.0.0.1:7117`. */
  readonly url: string;
  readonly address: Address;
  /** Words that stand for the id and the secret where no credential is known. */
  readonly credential: { readonly id: string; readonly secret: string };
  /** The certificate to trust, when the house signed its own. */
  readonly caPath: string | null;
}

/** A variable to export before terraform runs. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** The variable's value is what this file says. */
  readonly file?: string;
}

/** What to write so that terraform keeps its state in the house. */
export interface BackendBlock {
  /** The backend block, for any .tf file. */
  readonly block: string;
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
