import type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';

/** A block inside `terraform { }` that says where states are. */
export interface FoundBlock {
  readonly kind: 'backend' | 'cloud' | 'state_store';
  /** The backend's type; empty for `cloud`. */
  readonly type: string;
  readonly attributes: BackendAttributes;
  readonly line: number;
}

/** Thrown inside this module when a file has more in it than the scanner is sure of. */
class Unsure extends Error {}

/**
 * Finds the backend block in HCL text when it is made of plain literals, which nearly all are, and says null whenever it is
 * not sure: then HCL's own parser decides, which takes a tenth of a second to load. What it finds is what that parser finds.
 */
export function scanForBackend(text: string): readonly FoundBlock[] | null {
  try {
    return new Scanner(text).file();
  } catch (fault) {
    if (fault instanceof Unsure) return null;
    throw fault;
  }
}

const IDENTIFIER = /[A-Za-z_][\w-]*/y;
const NUMBER = /-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?(?![\w.])/y;
const HEREDOC = /<<-?([A-Za-z_][\w-]*)\r?\n/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };
/** Deeper nesting is left to the parser. */
const DEPTH_MAX = 50;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  file(): readonly FoundBlock[] {
    const found: FoundBlock[] = [];
    for (this.#space(); this.#at < this.#text.length; this.#space()) {
      const name = this.#identifier();
      const labels = this.#labels();
      this.#expect('{');
      if (name === 'terraform' && labels.length === 0) this.#terraform(found);
      else this.#skipTo('}');
    }
    return found;
  }

  #terraform(found: FoundBlock[]): void {
    for (this.#space(); !this.#take('}'); this.#space()) {
      const line = this.#text.slice(0, this.#at).split('\n').length;
      const kind = this.#identifier();
      const labels = this.#labels();
      if (this.#take('=')) {
        if (kind === 'backend' || kind === 'cloud' || kind === 'state_store') throw new Unsure();
        this.#skipExpression();
      } else {
        this.#expect('{');
        if (kind === 'backend') {
          const [type] = labels;
          if (type === undefined || labels.length > 1) throw new Unsure();
          found.push({ kind, type, attributes: this.#body(0), line });
        } else {
          if (kind === 'cloud' || kind === 'state_store') {
            found.push({ kind, type: labels[0] ?? '', attributes: {}, line });
          }
          this.#skipTo('}');
        }
      }
    }
  }

  /** Attributes and blocks up to the closing brace. */
  #body(depth: number): BackendAttributes {
    if (depth > DEPTH_MAX) throw new Unsure();
    const attributes: Record<string, AttributeValue> = {};
    for (this.#space(); !this.#take('}'); this.#space()) {
      const name = this.#identifier();
      this.#blanks();
      if (Object.hasOwn(attributes, name) || name === '__proto__') throw new Unsure();
      if (this.#take('=')) {
        attributes[name] = this.#literal(depth);
        this.#endOfLine();
      } else {
        this.#expect('{');
        attributes[name] = [this.#body(depth + 1)];
      }
    }
    return attributes;
  }

  #literal(depth: number): AttributeValue {
    if (depth > DEPTH_MAX) throw new Unsure();
    this.#blanks();
    if (this.#take('"')) return this.#string();
    if (this.#take('[')) return this.#list(depth);
    if (this.#take('{')) return this.#object(depth);
    const number = this.#match(NUMBER);
    if (number !== null) return Number(number);
    const word = this.#identifier();
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    throw new Unsure();
  }

  #list(depth: number): readonly AttributeValue[] {
    const items: AttributeValue[] = [];
    for (this.#space(); !this.#take(']'); this.#space()) {
      items.push(this.#literal(depth + 1));
      this.#space();
      if (!this.#take(',') && this.#text[this.#at] !== ']') throw new Unsure();
    }
    return items;
  }

  #object(depth: number): BackendAttributes {
    const members: Record<string, AttributeValue> = {};
    for (this.#space(); !this.#take('}'); this.#space()) {
      const name = this.#take('"') ? this.#string() : this.#identifier();
      this.#blanks();
      if (Object.hasOwn(members, name) || name === '__proto__') throw new Unsure();
      if (!this.#take('=') && !this.#take(':')) throw new Unsure();
      members[name] = this.#literal(depth + 1);
      this.#blanks();
      if (!this.#take(',') && !/[\r\n}#/]/.test(this.#text[this.#at] ?? '')) throw new Unsure();
    }
    return members;
  }

  /** The rest of a quoted text without templates. */
  #string(): string {
    let text = '';
    for (;;) {
      const character = this.#text[this.#at] ?? '\n';
      this.#at += 1;
      if (character === '"') return text;
      if (character === '\n' || character === '\r') throw new Unsure();
      if ((character === '$' || character === '%') && this.#text[this.#at] === '{') throw new Unsure();
      if (character === '\\') {
        const escaped = ESCAPES[this.#text[this.#at] ?? ''];
        if (escaped === undefined) throw new Unsure();
        this.#at += 1;
        text += escaped;
      } else text += character;
    }
  }

  #labels(): readonly string[] {
    const labels: string[] = [];
    for (this.#blanks(); ; this.#blanks()) {
      if (this.#take('"')) labels.push(this.#string());
      else {
        const label = this.#match(IDENTIFIER);
        if (label === null) return labels;
        labels.push(label);
      }
    }
  }

  /** Past an expression that is of no interest: to the end of its line, outside of all brackets. */
  #skipExpression(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '\n') return;
      if (character === '}' || character === ')' || character === ']') return;
      this.#skipOne(character);
    }
  }

  /** Past the closing bracket. */
  #skipTo(close: string): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new Unsure();
      if (character === close) {
        this.#at += 1;
        return;
      }
      if (character === '}' || character === ')' || character === ']') throw new Unsure();
      this.#skipOne(character);
    }
  }

  /** Past one character, or all that it opens. */
  #skipOne(character: string): void {
    const close = { '{': '}', '(': ')', '[': ']' }[character];
    if (close !== undefined) {
      this.#at += 1;
      this.#skipTo(close);
    } else if (character === '"') {
      this.#at += 1;
      this.#skipString();
    } else if (!this.#skipHeredoc() && !this.#skipComment()) this.#at += 1;
  }

  #skipString(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '\n') throw new Unsure();
      const next = this.#text[this.#at + 1];
      this.#at += 1;
      if (character === '"') return;
      if (character === '\\') this.#at += 1;
      else if (character === '$' || character === '%') {
        if (next === character) throw new Unsure();
        if (next === '{') {
          this.#at += 1;
          this.#skipTo('}');
        }
      }
    }
  }

  #skipHeredoc(): boolean {
    HEREDOC.lastIndex = this.#at;
    const opened = HEREDOC.exec(this.#text);
    if (opened === null) {
      if (this.#text.startsWith('<<', this.#at)) throw new Unsure();
      return false;
    }
    this.#at = HEREDOC.lastIndex;
    for (;;) {
      const end = this.#text.indexOf('\n', this.#at);
      const line = this.#text.slice(this.#at, end === -1 ? undefined : end);
      // A template may hold a line that looks like the end, so lines that leave one open are left to the parser.
      const [opening, closing] = [line.match(/[$%]\{/g) ?? [], line.match(/\}/g) ?? []];
      if (opening.length > closing.length) throw new Unsure();
      if (line.trim() === opened[1]) {
        this.#at += line.length;
        return true;
      }
      if (end === -1) throw new Unsure();
      this.#at = end + 1;
    }
  }

  #skipComment(): boolean {
    if (this.#text[this.#at] === '#' || this.#text.startsWith('//', this.#at)) {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end === -1 ? this.#text.length : end;
      return true;
    }
    if (!this.#text.startsWith('/*', this.#at)) return false;
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end === -1) throw new Unsure();
    this.#at = end + 2;
    return true;
  }

  /** Blanks, line ends and comments. */
  #space(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === ' ' || character === '\t' || character === '\n' || character === '\r') this.#at += 1;
      else if (!this.#skipComment()) return;
    }
  }

  #blanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }

  #endOfLine(): void {
    this.#blanks();
    const rest = this.#text[this.#at];
    if (rest === '/' || rest === '#') {
      if (this.#text.startsWith('/*', this.#at) || !this.#skipComment()) throw new Unsure();
    } else if (rest !== '\n' && rest !== '\r' && rest !== '}') throw new Unsure();
  }

  #identifier(): string {
    const name = this.#match(IDENTIFIER);
    if (name === null) throw new Unsure();
    return name;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw new Unsure();
  }
}
