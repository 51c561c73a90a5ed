import { describe, expect, it } from 'vitest';
import type { Door, DoorRequest, DoorRoutes } from '../../src/protocols/door.ts';
import { faultReply } from '../../src/protocols/wire/problem.ts';
import { DoorTable } from '../../src/server/door-table.ts';

function doorOf(name: string, routes: DoorRoutes): Door {
  const reply = faultReply('unknown', name);
  return { name, routes, answer: async () => reply, fault: () => reply, throttled: () => null };
}

const SIGNED = 'AWS4-HMAC-SHA256 Credential=AK/20261120/eu-west-1/s3/aws4_request, Signature=x';

/** A request that is signed for S3, or not at all, and whose headers are counted as they are read. */
function requestTo(path: string, signed = false): DoorRequest & { readonly asked: string[] } {
  const asked: string[] = [];
  const header = (name: string): string | undefined => {
    asked.push(name);
    return signed && name === 'authorization' ? SIGNED : undefined;
  };
  return { path, query: '', header, asked } as unknown as DoorRequest & { readonly asked: string[] };
}

describe('the table of doors', () => {
  const table = new DoorTable([
    doorOf('index', { paths: ['/'] }),
    doorOf('storage', { paths: ['/storage/*'] }),
    doorOf('upload', { paths: ['/storage/upload/*', '/storage-status'] }),
    doorOf('s3', { aws: 's3' }),
    doorOf('dynamodb', { aws: 'dynamodb' }),
  ]);

  it.each([
    ['/', 'index'],
    ['/storage/a', 'storage'],
    ['/storage/upload/a', 'upload'],
    ['/storage-status', 'upload'],
    ['/storage-status/a', undefined],
    ['/storage', undefined],
    ['/storages/a', undefined],
    ['//', undefined],
  ])('has for %s the door %s', (path, name) => {
    expect(table.find(requestTo(path))?.name).toBe(name);
  });

  it('goes by the service that a request was signed for before it looks at the path', () => {
    expect(table.find(requestTo('/storage/a', true))?.name).toBe('s3');
  });

  it('reads what a request is signed for once, however many doors AWS has', () => {
    const request = requestTo('/storage/a');
    table.find(request);
    expect(request.asked.filter((name) => name === 'authorization')).toHaveLength(1);
  });

  it('goes by what a door takes before the path, and by a header and a bearer token where no path fits', () => {
    const own = new DoorTable([
      doorOf('storage', { paths: ['/storage/*'] }),
      doorOf('host', {
        paths: ['/azure/*'],
        takes: ({ header }) => header('host') === 'mine',
        header: 'x-version',
      }),
      doorOf('bearer', { paths: ['/token'], bearer: true }),
    ]);
    const find = (path: string, headers: Readonly<Record<string, string>>): string | undefined =>
      own.find({ path, query: '', header: (name: string) => headers[name] } as unknown as DoorRequest)?.name;
    const authorization = 'Bearer x';
    expect(find('/storage/a', { host: 'mine' })).toBe('host');
    expect(find('/storage/a', { host: 'yours', 'x-version': '1' })).toBe('storage');
    expect(find('/a', { 'x-version': '1', authorization })).toBe('host');
    expect(find('/a', { authorization })).toBe('bearer');
    expect(find('/a', {})).toBe(undefined);
  });

  it('takes no two doors for one route', () => {
    for (const routes of [{ paths: ['/b', '/a/*'] }, { paths: ['/'] }, { aws: 's3' }] as const) {
      const doors = [
        doorOf('one', { paths: ['/a/*', '/'] }),
        doorOf('s3', { aws: 's3' }),
        doorOf('two', routes),
      ];
      expect(() => new DoorTable(doors)).toThrow(/and two both have/);
    }
  });
});
