import { createHash } from 'node:crypto';
import { xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import { malformedXml, type S3Error } from './errors.ts';

/** Amazon S3 API reference, LifecycleRule: the ID of a rule, and how many rules a bucket has. */
const RULE_ID_LENGTH_MAX = 255;
const RULES_MAX = 1_000;
/** Amazon S3 user guide, "Using cost allocation S3 bucket tags"; AWS general reference, "Tag naming limits". */
const TAGS_MAX = 50;
const TAG_KEY = /^(?!aws:)[\p{L}\p{N}\p{Z}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{N}\p{Z}_.:/=+\-@]{0,256}$/u;
const MIDNIGHT = /^\d{4}-\d{2}-\d{2}(?:T00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?)?$/;
const ACTIONS: ReadonlySet<string> = new Set([
  'Expiration',
  'Transition',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransition',
  'AbortIncompleteMultipartUpload',
]);
const DAYS: ReadonlySet<string> = new Set(['Days', 'NoncurrentDays', 'DaysAfterInitiation']);

/** What S3 would not take of the setting of a bucket, as S3 says it; null where it would. */
export function settingProblem(setting: string, document: XmlNode): S3Error | null {
  if (setting === 'lifecycle') return lifecycleProblem(document);
  if (setting === 'tagging') return taggingProblem(document);
  return null;
}

/** S3 gives a name to each rule of a life cycle that has none. */
export function withRuleIds(text: string): string {
  return text.replaceAll(/<Rule>([\s\S]*?)<\/Rule>/g, (whole, rule: string, at: number) => {
    if (/<ID>\s*\S/.test(rule)) return whole;
    const id = createHash('sha256').update(`${at} ${rule}`).digest('base64url').slice(0, 40);
    return `<Rule><ID>${id}</ID>${rule.replace(/<ID>\s*<\/ID>|<ID\s*\/>/, '')}</Rule>`;
  });
}

function lifecycleProblem(document: XmlNode): S3Error | null {
  const rules = document.children.filter(({ name }) => name === 'Rule');
  if (document.name !== 'LifecycleConfiguration' || rules.length === 0 || rules.length > RULES_MAX) {
    return malformedXml();
  }
  const ids = rules.map((rule) => xmlText(rule, 'ID') ?? '').filter((id) => id !== '');
  if (ids.some((id) => id.length > RULE_ID_LENGTH_MAX)) {
    return refusedSetting(
      'InvalidArgument',
      `ID length should not exceed allowed limit of ${RULE_ID_LENGTH_MAX}`,
    );
  }
  if (new Set(ids).size < ids.length) {
    return refusedSetting('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule');
  }
  return rules.map(ruleProblem).find((problem) => problem !== null) ?? null;
}

function ruleProblem(rule: XmlNode): S3Error | null {
  const status = xmlText(rule, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') return malformedXml();
  const actions = rule.children.filter(({ name }) => ACTIONS.has(name));
  if (actions.length === 0) {
    return refusedSetting('InvalidRequest', 'At least one action needs to be specified in a rule');
  }
  for (const { name: action, children } of actions) {
    for (const { name, text } of children) {
      const value = text.trim();
      if (name === 'Date' && !MIDNIGHT.test(value)) {
        return refusedSetting('InvalidArgument', "'Date' must be at midnight GMT");
      }
      // A transition may come at once.
      const least = name === 'Days' && action === 'Transition' ? 0 : 1;
      if (DAYS.has(name) && !(/^\d{1,9}$/.test(value) && Number(value) >= least)) {
        return refusedSetting('InvalidArgument', `'${name}' for ${action} action must be a positive integer`);
      }
    }
  }
  return null;
}

function taggingProblem(document: XmlNode): S3Error | null {
  const set = document.children.find(({ name }) => name === 'TagSet');
  if (document.name !== 'Tagging' || set === undefined) return malformedXml();
  const tags = set.children.filter(({ name }) => name === 'Tag');
  if (tags.length > TAGS_MAX) {
    return refusedSetting('BadRequest', `Bucket tag count cannot be greater than ${TAGS_MAX}`);
  }
  const keys = new Set<string>();
  for (const tag of tags) {
    const [key, value] = [xmlText(tag, 'Key'), xmlText(tag, 'Value')];
    if (key === null || value === null) return malformedXml();
    if (!TAG_KEY.test(key)) return refusedSetting('InvalidTag', 'The TagKey you have provided is invalid');
    if (!TAG_VALUE.test(value))
      return refusedSetting('InvalidTag', 'The TagValue you have provided is invalid');
    if (keys.has(key)) return refusedSetting('InvalidTag', 'Cannot provide multiple Tags with the same key');
    keys.add(key);
  }
  return null;
}

function refusedSetting(code: string, message: string): S3Error {
  return { status: 400, code, message };
}
