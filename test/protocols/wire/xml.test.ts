import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { readXml, XML_BYTES_MAX, xmlText, type XmlNode } from '../../../src/protocols/wire/xml-reader.ts';
import { writeXml, type XmlElement } from '../../../src/protocols/wire/xml-writer.ts';

const read = (text: string): XmlNode | null => readXml(new TextEncoder().encode(text));
const text = fc
  .string({ unit: 'binary', maxLength: 20 })
  // What XML 1.0 has a character for.
  .filter((s) => /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(s));

describe('the XML reader', () => {
  it('reads back what the writer wrote', () => {
    const names = fc.constantFrom('Code', 'Key', 'Part', 'ETag');
    const { element } = fc.letrec<{ element: XmlElement }>((tie) => ({
      element: fc.dictionary(
        names,
        fc.oneof(
          { depthSize: 'small' },
          text,
          fc.array(text, { minLength: 1, maxLength: 3 }),
          tie('element'),
        ),
        { maxKeys: 4, noNullPrototype: true },
      ),
    }));
    const plain = (node: XmlNode | null): unknown =>
      node === null
        ? null
        : node.children.length === 0
          ? [node.name, node.text]
          : [node.name, node.children.map(plain)];
    const expected = (name: string, value: XmlElement): unknown => {
      const children = Object.entries(value).flatMap(([child, content]) =>
        [content]
          .flat()
          .map((one) =>
            typeof one === 'object' ? expected(child, one as XmlElement) : [child, String(one)],
          ),
      );
      return children.length === 0 ? [name, ''] : [name, children];
    };
    fc.assert(
      fc.property(element, (content) => {
        expect(plain(readXml(writeXml('Root', content, 'urn:x')))).toEqual(expected('Root', content));
      }),
      { numRuns: 500 },
    );
  });

  it('reads what clients send', () => {
    const node = read(
      '<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><s3:CompleteMultipartUpload xmlns:s3="http://s3"><Part><PartNumber>1</PartNumber><ETag>&quot;a&#38;b&#x26;&quot;</ETag></Part><Part/></s3:CompleteMultipartUpload>\n',
    );
    expect(node?.name).toBe('CompleteMultipartUpload');
    expect(node?.children.length).toBe(2);
    expect(node === null ? null : xmlText(node, 'Part', 'ETag')).toBe('"a&b&"');
    expect(node === null ? '' : xmlText(node, 'Part', 'Absent')).toBeNull();
    expect(read('<a><![CDATA[<b>&amp;]]></a>')?.text).toBe('<b>&amp;');
  });

  it.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '</a>',
    '<a/><b/>',
    '<a/>text',
    '<a b></a>',
    '<a b=c></a>',
    '<a>&nbsp;</a>',
    '<a>&amp</a>',
    '<a>a & b</a>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<a>&#x110000;</a>',
    '<'.repeat(1_000),
    '<a>'.repeat(100) + '</a>'.repeat(100),
  ])('refuses %s', (document) => {
    expect(read(document)).toBeNull();
  });

  it('refuses entities that would grow, bytes that are no UTF-8, and what is too large, in no time', () => {
    const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${'<!ENTITY b "&a;&a;">'.repeat(30)}]><l>&b;</l>`;
    expect(read(laughs)).toBeNull();
    expect(readXml(new Uint8Array([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]))).toBeNull();
    expect(readXml(new Uint8Array(XML_BYTES_MAX + 1))).toBeNull();
    expect(read(`<a>${'<b/>'.repeat(60_000)}</a>`)).toBeNull();
    expect(read(`<a ${'b="c" '.repeat(10_000)}`)).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>/&;!?-[]"\'a =#x0') }), (document) => {
        expect(() => read(document)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
