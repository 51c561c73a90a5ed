import { expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { code, sendSigned } from '../aws/send-signed.ts';
import type { Answer } from '../../support/request.ts';

// What S3 refuses of a bucket's settings, as ceph/s3-tests and the API reference have it.

const aws = AwsHouse.forThisFile();

const set = async (setting: string, body: string): Promise<Answer> => {
  await sendSigned(aws.house, { method: 'PUT', path: '/acme' });
  return sendSigned(aws.house, { method: 'PUT', path: '/acme', query: [[setting, '']], body });
};
const EXPIRES = '<Expiration><Days>1</Days></Expiration>';
const rule = (content: string, actions = EXPIRES): string =>
  `<Rule>${content}<Filter><Prefix></Prefix></Filter>${actions}</Rule>`;
const lifecycle = (...rules: string[]): string =>
  `<LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`;
const on = '<Status>Enabled</Status>';
const tags = (...pairs: [string, string][]): string =>
  `<Tagging><TagSet>${pairs.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join('')}</TagSet></Tagging>`;

it.each([
  ['no rule', lifecycle(), '400 MalformedXML'],
  ['an ID that is too long', lifecycle(rule(`<ID>${'a'.repeat(256)}</ID>${on}`)), '400 InvalidArgument'],
  ['an ID twice', lifecycle(rule(`<ID>a</ID>${on}`), rule(`<ID>a</ID>${on}`)), '400 InvalidArgument'],
  ['another status', lifecycle(rule('<Status>enabled</Status>')), '400 MalformedXML'],
  ['nothing to do', lifecycle(rule(on, '')), '400 InvalidRequest'],
  ['no day', lifecycle(rule(on, '<Expiration><Days>0</Days></Expiration>')), '400 InvalidArgument'],
  [
    'a moment',
    lifecycle(rule(on, '<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration>')),
    '400 InvalidArgument',
  ],
])('a life cycle is refused: %s', async (_, document, expected) => {
  expect(code(await set('lifecycle', document))).toBe(expected);
});

it('a life cycle is shown with a name for each rule, the same whenever it is asked', async () => {
  const document = lifecycle(
    rule(on),
    rule(`<ID>mine</ID>${on}`),
    rule(on, '<Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>'),
    rule(on, '<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>'),
  );
  expect((await set('lifecycle', document)).status).toBe(200);
  const show = (): Promise<Answer> => sendSigned(aws.house, { path: '/acme', query: [['lifecycle', '']] });
  const { text } = await show();
  const ids = [...text.matchAll(/<ID>([^<]{1,255})<\/ID>/g)].map(([, id]) => id);
  expect(ids).toHaveLength(4);
  expect(ids[1]).toBe('mine');
  expect(new Set(ids).size).toBe(4);
  expect((await show()).text).toBe(text);
});

it.each([
  ['a character that no tag has', tags(['a&amp;b', 'c']), '400 InvalidTag'],
  ['the same in a value', tags(['a', 'b;c']), '400 InvalidTag'],
  ['a name of AWS', tags(['aws:a', 'b']), '400 InvalidTag'],
  ['no name', tags(['', 'b']), '400 InvalidTag'],
  ['a name that is too long', tags(['a'.repeat(129), 'b']), '400 InvalidTag'],
  ['a value that is too long', tags(['a', 'b'.repeat(257)]), '400 InvalidTag'],
  ['a name twice', tags(['a', 'b'], ['a', 'c']), '400 InvalidTag'],
  [
    'too many',
    tags(...Array.from({ length: 51 }, (_, n): [string, string] => [`a${n}`, 'b'])),
    '400 BadRequest',
  ],
  ['no set', '<Tagging></Tagging>', '400 MalformedXML'],
])('tags are refused: %s', async (_, document, expected) => {
  expect(code(await set('tagging', document))).toBe(expected);
});

it('tags are taken in any language', async () => {
  expect((await set('tagging', tags(['Größe +-=._:/@ 1', '大']))).status).toBe(200);
});
