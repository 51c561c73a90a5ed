/** Amazon DynamoDB developer guide, "Constraints": an expression has at most 4 KB. */
export const EXPRESSION_LENGTH_MAX = 4_096;

/** What is wrong with an expression, for the one who wrote it. */
export class ExpressionProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExpressionProblem';
  }
}

/** A piece of an expression: a word, `#name`, `:value`, a number, or a sign. */
export interface Token {
  readonly kind: 'word' | 'name' | 'value' | 'number' | 'sign' | 'end';
  readonly text: string;
}

const TOKEN = /\s*(?:([A-Za-z_][\w-]*)|(#[\w-]+)|(:[\w-]+)|(\d{1,9})|(<=|>=|<>|[=<>()[\],.+-]))/y;
const KINDS = ['word', 'name', 'value', 'number', 'sign'] as const;

/** A cursor over the pieces of an expression. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(expression: string) {
    if (expression.length > EXPRESSION_LENGTH_MAX) {
      throw new ExpressionProblem('Expression size has exceeded the maximum allowed size');
    }
    this.#tokens = [...cut(expression)];
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '<EOF>' };
  }

  take(): Token {
    const token = this.next;
    this.#at += 1;
    return token;
  }

  /** Takes the next piece if it is this sign, or this word in any case. */
  accept(text: string): boolean {
    const { kind, text: found } = this.next;
    const same = kind === 'word' ? found.toUpperCase() === text.toUpperCase() : found === text;
    if (!same || kind === 'end') return false;
    this.#at += 1;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected();
  }

  /** Whether the next piece is this word, with an opening bracket after it: a function. */
  isFunction(): boolean {
    return this.next.kind === 'word' && this.#tokens[this.#at + 1]?.text === '(';
  }

  end(): void {
    if (this.next.kind !== 'end') throw this.unexpected();
  }

  unexpected(): ExpressionProblem {
    return new ExpressionProblem(`Syntax error; token: "${this.next.text}"`);
  }
}

function* cut(expression: string): Generator<Token> {
  const text = expression.trim();
  if (text === '') throw new ExpressionProblem('The expression can not be empty;');
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      throw new ExpressionProblem(`Syntax error; token: "${text.slice(at, at + 10).trim()}"`);
    }
    const index = match.slice(1).findIndex((group) => group !== undefined);
    yield { kind: KINDS[index] ?? 'sign', text: match[index + 1] ?? '' };
  }
}
