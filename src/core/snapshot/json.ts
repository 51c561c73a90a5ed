import { LosslessNumber, parse, stringify } from 'lossless-json';

/** A JSON value whose numbers keep the text that they were written with. */
export type Json = null | boolean | string | LosslessNumber | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * Parses JSON without touching its numbers; of two members with one name the last wins, as in Go.
 * The caller has bounded the depth: {@link readStateHeader} refuses what nests deeper than a thousand levels.
 * @returns undefined when the text is no JSON
 */
export function parseJson(text: string): Json | undefined {
  try {
    return parse(text, undefined, { onDuplicateKey: ({ newValue }) => newValue }) as Json;
  } catch {
    return undefined;
  }
}

/** Prints a value as JSON, on one line or indented by two spaces; numbers as they were read. */
export function printJson(value: Json, indented = false): string {
  return stringify(value, undefined, indented ? 2 : undefined) ?? 'null';
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LosslessNumber)
  );
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonNumber(value: unknown): value is LosslessNumber {
  return value instanceof LosslessNumber;
}

/** The member of that very name; never one that every object inherits. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
