/** Modules of Node that take milliseconds to load, and that many a command never uses. */
const COSTLY =
  'child_process crypto dns http https net readline/promises stream/consumers tls worker_threads zlib'.split(
    ' ',
  );
const COMMANDER = /\/commander\/lib\/command\.js$/;

/** Loads a costly module of Node where it is first used, and not with the file that names it. No line moves. */
export const lateBuiltins = {
  name: 'late-builtins',
  /** It loads this one for commands that are programs of their own, which we have not. */
  transform: {
    filter: { id: COMMANDER },
    handler: (code) => ({
      code: replaced(
        code,
        "const childProcess = require('node:child_process');",
        'childProcess',
        'child_process',
      ),
      map: null,
    }),
  },
  renderChunk(code) {
    const late = COSTLY.reduce((text, name) => {
      const variable = `node_${name.replaceAll('/', '_')}`;
      return replaced(text, `let ${variable} = require("node:${name}");`, variable, name);
    }, code);
    return { code: late, map: null };
  },
};

function replaced(code, statement, variable, name) {
  const [before, after, ...more] = code.split(statement);
  // Only where it is used as `module.member`: what is passed on whole is loaded at once.
  if (after === undefined || more.length > 0 || new RegExp(`\\b${variable}\\b(?!\\.)`).test(after))
    return code;
  // Not a member of that name, which a single dot stands before; three dots spread what follows.
  const used = after.replaceAll(
    new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)${variable}\\.`, 'g'),
    `${variable}.now.`,
  );
  if (new RegExp(`\\b${variable}\\.(?!now\\.)`).test(used))
    throw new Error(`a use of ${name} was not understood, so that it would find nothing there`);
  const load = `Object.defineProperty(this, "now", { value: require("node:${name}") }).now`;
  return `${before}const ${variable} = { get now() { return ${load}; } };${used}`;
}
