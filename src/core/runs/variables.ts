/** A variable of a run: its value is text of the configuration language, as `terraform` sends it. */
export interface RunVariable {
  readonly key: string;
  readonly value: string;
}

const VARIABLES_MAX = 1_000;
const VALUE_LENGTH_MAX = 1_048_576;
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u;
const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * What is wrong with variables, or null. Each value must end where its expression ends, so that none can say another variable:
 * its brackets match, its strings are closed, and outside of brackets it has one line.
 */
export function variablesProblem(variables: readonly RunVariable[]): string | null {
  if (variables.length > VARIABLES_MAX) return `expected at most ${VARIABLES_MAX} variables`;
  for (const { key, value } of variables) {
    if (!IDENTIFIER.test(key)) return `invalid variable name "${key.slice(0, 100)}": expected an identifier`;
    if (value.length > VALUE_LENGTH_MAX)
      return `the value of the variable "${key}" is too large: expected at most ${VALUE_LENGTH_MAX} characters`;
    if (!isOneExpression(value.trim()))
      return `invalid value of the variable "${key}": expected one expression of the configuration language`;
  }
  return null;
}

/** Escapes of JSON that the configuration language does not have. */
const UNKNOWN_ESCAPES: Readonly<Record<string, string>> = { b: '\\u0008', f: '\\u000c' };

/** A text as a value of a variable: a string of the configuration language, in which nothing is a template. */
export function textValue(text: string): string {
  return templateValue(text).replaceAll(/([$%])\{/g, '$1$1{');
}

/** A text as a string of the configuration language, whose templates stay templates. */
export function templateValue(text: string): string {
  return JSON.stringify(text).replaceAll(
    /\\(.)/g,
    (escape, letter: string) => UNKNOWN_ESCAPES[letter] ?? escape,
  );
}

/** The variables as the text of a `.tfvars` file. @param variables without a {@link variablesProblem} */
export function variablesText(variables: readonly RunVariable[]): string {
  return variables.map(({ key, value }) => `${key} = ${value.trim()}\n`).join('');
}

function isOneExpression(text: string): boolean {
  if (text === '') return false;
  const open: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') {
      const end = endOfString(text, at);
      if (end === null) return false;
      at = end;
    } else if (character in CLOSES) open.push(CLOSES[character] ?? '');
    else if (')]}'.includes(character)) {
      if (open.pop() !== character) return false;
    } else if (isRefused(text, at, open.length === 0)) return false;
  }
  return open.length === 0;
}

/** Comments and here-documents, which could hide where an expression ends, and a second line or an assignment outside of brackets. */
function isRefused(text: string, at: number, isOutside: boolean): boolean {
  const pair = text.slice(at, at + 2);
  if (text[at] === '#' || pair === '//' || pair === '/*' || pair === '<<') return true;
  if (text[at] === '\r') return true;
  if (!isOutside) return false;
  if (text[at] === '\n') return true;
  return text[at] === '=' && pair !== '==' && !'=!<>'.includes(text[at - 1] ?? ' ');
}

/** Where a string ends that begins here; null where it does not. Templates in it may have strings of their own. */
function endOfString(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '\n' && depth === 0) return null;
    else if ((character === '$' || character === '%') && text[at + 1] === character && text[at + 2] === '{')
      at += 2;
    else if ((character === '$' || character === '%') && text[at + 1] === '{') {
      depth += 1;
      at += 1;
    } else if (depth > 0 && character === '{') depth += 1;
    else if (depth > 0 && character === '}') depth -= 1;
    else if (character === '"' && depth === 0) return at;
    else if (character === '"') {
      const end = endOfString(text, at);
      if (end === null) return null;
      at = end;
    }
  }
  return null;
}
