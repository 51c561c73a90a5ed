import { describe, expect, it } from 'vitest';
import { originOf, readPublicUrl, type Reach } from '../../src/server/origin.ts';

const ANY: Reach = { publicUrl: null, domain: null };
const asked = (headers: Readonly<Record<string, string>>, reach = ANY, isSecure = false): string | null =>
  originOf((name) => headers[name], isSecure, reach);

describe('where people find the server', () => {
  it('is where it was asked', () => {
    expect(asked({ host: '127.0.0.1:7117' })).toBe('http://127.0.0.1:7117');
    expect(asked({ host: '[::1]:7117' })).toBe('http://[::1]:7117');
    expect(asked({ host: 'state.example.com' }, ANY, true)).toBe('https://state.example.com');
  });

  it('is what a proxy was asked, where one says it', () => {
    expect(asked({ host: 'node-1:7117', 'x-forwarded-host': 'state.example.com, inner' })).toBe(
      'http://state.example.com',
    );
  });

  it('is the server itself, where a bucket or an account was named before it', () => {
    const domain = 'state.example.com';
    expect(asked({ host: 'app.state.example.com:7117' }, { ...ANY, domain })).toBe(
      'http://state.example.com:7117',
    );
    expect(asked({ host: 'state.example.com:7117' }, { ...ANY, domain })).toBe(
      'http://state.example.com:7117',
    );
    expect(asked({ host: 'other.example.com' }, { ...ANY, domain })).toBe('http://other.example.com');
    expect(asked({ host: 'abc123.blob.state.example.com' }, ANY, true)).toBe('https://state.example.com');
  });

  it('is what the setting says, whatever was asked', () => {
    const publicUrl = 'https://state.example.com';
    expect(asked({ host: 'node-1:7117' }, { ...ANY, publicUrl })).toBe(publicUrl);
    expect(asked({}, { ...ANY, publicUrl })).toBe(publicUrl);
  });

  it.each(['', 'a b', 'evil\u001b[31m', 'a/b', 'user@host', '"x"', 'a'.repeat(300), ':80', '..'])(
    'is not known by the host "%s"',
    (host) => {
      expect(asked({ host })).toBeNull();
    },
  );
});

describe('--public-url', () => {
  it('is an address without a path', () => {
    expect(readPublicUrl(undefined)).toBeNull();
    expect(readPublicUrl('https://State.example.com/')).toBe('https://state.example.com');
    expect(readPublicUrl('http://10.0.0.7:7117')).toBe('http://10.0.0.7:7117');
  });

  it.each(['state.example.com', 'ftp://a', 'https://a/b', 'https://a/?b', 'https://u:p@a', ''])(
    'is not "%s"',
    (text) => {
      expect(readPublicUrl(text)).toMatchObject({
        problem: expect.stringContaining('without a path') as string,
      });
    },
  );
});
