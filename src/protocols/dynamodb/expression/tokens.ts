/** Amazon DynamoDB developer guide, "Constraints": an expression has at most 4 KB. */
const EXPRESSION_BYTES_MAX = 4_096;
/** The same: an expression has at most so many operators and functions. */
const OPERATORS_MAX = 300;

/** What is wrong with an expression, for the one who wrote it. */
export class ExpressionProblem extends Error {
  /** Which expression of the request it is in, where that is known. */
  readonly where: string;

  constructor(message: string, where = 'expression') {
    super(message);
    this.name = 'ExpressionProblem';
    this.where = where;
  }
}

/** A piece of an expression: a word, `#name`, `:value`, a number, or a sign. */
export interface Token {
  readonly kind: 'word' | 'name' | 'value' | 'number' | 'sign' | 'end';
  readonly text: string;
}

const TOKEN = /\s*(?:([A-Za-z_]\w*)|(#\w+)|(:\w+)|(\d{1,9})|(<=|>=|<>|[=<>()[\],.+-]))/y;
const KINDS = ['word', 'name', 'value', 'number', 'sign'] as const;

/** A cursor over the pieces of an expression. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;
  #operators = 0;

  constructor(expression: string) {
    const bytes = Buffer.byteLength(expression);
    if (bytes > EXPRESSION_BYTES_MAX) {
      throw new ExpressionProblem(
        `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`,
      );
    }
    this.#tokens = [...cut(expression)];
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '<EOF>' };
  }

  /** How many pieces have been taken. */
  get at(): number {
    return this.#at;
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

  /** Counts an operator or a function that was just taken. */
  countOperator(): void {
    this.#operators += 1;
    if (this.#operators > OPERATORS_MAX) {
      throw new ExpressionProblem(
        `The expression contains too many operators; operator count: ${this.#operators}`,
      );
    }
  }

  /** Takes the next piece if it is this operator, and counts it. */
  acceptOperator(text: string): boolean {
    const accepted = this.accept(text);
    if (accepted) this.countOperator();
    return accepted;
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
