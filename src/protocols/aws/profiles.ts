/** What is set in a section, by name. */
export type Section = ReadonlyMap<string, string>;

/**
 * Sections of an AWS configuration file, by name; what is indented below a name without a value is `name.inner`
 * (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
 */
export function parseSections(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let outer = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;]|$)/.test(line)) continue;
    const name = /^\[\s*([^\]]*?)\s*\]/.exec(line)?.[1]?.replaceAll(/\s+/g, ' ');
    if (name !== undefined) {
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
      outer = '';
      continue;
    }
    const equals = line.indexOf('=');
    if (equals < 0) continue;
    const key = line.slice(0, equals).trim();
    const value = line
      .slice(equals + 1)
      .replace(/(?:^|\s)[#;].*$/, '')
      .trim();
    const isInner = /^\s/.test(line) && outer !== '';
    if (!isInner) outer = value === '' ? key : '';
    if (value !== '') section.set(isInner ? `${outer}.${key}` : key, value);
  }
  return sections;
}
