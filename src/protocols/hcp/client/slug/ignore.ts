/** Says which files of a folder do not travel. */
export interface IgnoreRules {
  /** @param path relative to the folder, with "/"; a directory's ends with one */
  excludes(path: string): {
    readonly excluded: boolean;
    /** Nothing below it travels either. */ readonly whole: boolean;
  };
}

interface Rule {
  readonly pattern: RegExp;
  readonly negated: boolean;
}

/** What terraform leaves out of every upload (go-slug `internal/ignorefiles`). */
const DEFAULTS = ['**/.terraform/**', '!**/.terraform/modules/**', '**/.git/**'] as const;

/** A file of more is none that a person wrote. */
const RULES_MAX = 10_000;

/**
 * Reads a `.terraformignore`, as terraform does: like a `.gitignore`, added to what is left out anyway.
 * @param text empty where there is no such file
 */
export function readIgnoreRules(text: string): IgnoreRules {
  const given = text
    .split('\n')
    .slice(0, RULES_MAX)
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '!' && !line.startsWith('#'))
    .map(anchored);
  const rules = [...DEFAULTS, ...given].map(ruleOf);
  const lastNegation = rules.findLastIndex(({ negated }) => negated);
  return {
    excludes: (path) => {
      const last = rules.findLastIndex(({ pattern }) => pattern.test(path));
      const excluded = last !== -1 && rules[last]?.negated === false;
      return { excluded, whole: excluded && last > lastNegation };
    },
  };
}

/** A rule holds at any depth unless it begins with a slash; what ends with one is a directory with all that is in it. */
function anchored(line: string): string {
  const negated = line.startsWith('!');
  const said = negated ? line.slice(1) : line;
  const whole = said.endsWith('/') ? `${said}**` : said;
  return `${negated ? '!' : ''}${whole.startsWith('/') ? whole.slice(1) : `**/${whole}`}`;
}

function ruleOf(text: string): Rule {
  const negated = text.startsWith('!');
  return { negated, pattern: new RegExp(`^${expression(negated ? text.slice(1) : text)}$`, 'su') };
}

/** `**` is any path, also none, `*` and `?` stay within a name, and `[a-z]` is one of a set. */
function expression(pattern: string): string {
  const parts = pattern.match(/\*\*\/?|\*|\?|\[[^\]\\]+\]|\\.|[^]/gu) ?? [];
  return parts
    .map((part, index) => {
      if (part.startsWith('**')) return index === parts.length - 1 ? '.*' : '(?:.*/)?';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      if (/^\[.+\]$/su.test(part)) return `[${part.slice(1, -1).replaceAll('[', String.raw`\[`)}]`;
      return escaped(part.length > 1 ? part.slice(1) : part);
    })
    .join('');
}

function escaped(character: string): string {
  return character.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
