// What programs with the npm package consul do with keys of states.
import assert from 'node:assert/strict';
import { library, ID, lockInfo, play, refused, SECRET, SERVER, state } from './trials.mjs';

const Consul = library('consul');
const { hostname: host, port } = new URL(SERVER);
const clientOf = (token) => new Consul({ host, port: Number(port), defaults: { token } });
const consul = clientOf(`${ID}.${SECRET}`);
const status = (wanted) => (fault) => fault.response?.statusCode === wanted;

await play({
  'a state is written read and deleted on conditions': async (project) => {
    const key = `${project}/net`;
    assert.equal(await consul.kv.get(key), undefined);
    assert.equal(await consul.kv.set({ key, value: state(1), cas: '0' }), true);
    // The package tells "false" as nothing.
    assert.ok(!(await consul.kv.set({ key, value: state(2), cas: '0' })));
    const found = await consul.kv.get(key);
    assert.equal(found.Value, state(1).toString());
    assert.equal((await consul.kv.get({ key, raw: true })).toString(), state(1).toString());
    assert.equal(await consul.kv.set({ key, value: state(2), cas: String(found.ModifyIndex) }), true);
    await consul.kv.del(key);
    assert.equal(await consul.kv.get(key), undefined);
  },
  'keys are listed up to a separator and recursively': async (project) => {
    for (const key of ['a/x', 'a/y', 'b']) await consul.kv.set(`${project}/${key}`, state(1));
    assert.deepEqual(await consul.kv.keys({ key: `${project}/`, separator: '/' }), [
      `${project}/a/`,
      `${project}/b`,
    ]);
    const all = await consul.kv.get({ key: `${project}/a/`, recurse: true });
    assert.deepEqual(
      all.map(({ Value }) => Value),
      [state(1), state(1)].map(String),
    );
    await consul.kv.del({ key: `${project}/`, recurse: true });
    assert.equal(await consul.kv.keys(`${project}/`).catch(() => undefined), undefined);
  },
  'a session holds the lock until it ends': async (project) => {
    const key = `${project}/net/.lock`;
    const [one, two] = [
      await consul.session.create({ name: 'node', ttl: '30s' }),
      await consul.session.create({ ttl: '30s', lockdelay: '0s' }),
    ];
    assert.equal(await consul.kv.set({ key, value: '', acquire: one.ID }), true);
    await consul.kv.set(`${project}/net/.lockinfo`, lockInfo(one.ID));
    assert.equal(JSON.parse((await consul.kv.get(`${project}/net/.lockinfo`)).Value).Who, 'node@host');
    assert.equal((await consul.session.get(one.ID))[0]?.Name ?? 'node', 'node');
    await consul.session.renew(one.ID);
    await consul.session.destroy(one.ID);
    assert.equal(await consul.kv.get(key), undefined);
    assert.equal(await consul.kv.set({ key, value: '', acquire: two.ID }), true);
    const three = await consul.session.create({ ttl: '30s' });
    assert.ok(!(await consul.kv.set({ key, value: '', acquire: three.ID })));
    await consul.session.destroy(two.ID);
  },
  'sessions are told and listed': async (project) => {
    const { ID: id } = await consul.session.create({ name: project, ttl: '10s', behavior: 'delete' });
    const all = await consul.session.list();
    const mine = all.find((session) => session.ID === id);
    assert.deepEqual([mine.Name, mine.TTL, mine.Behavior], [project, '10s', 'delete']);
    assert.ok((await consul.session.node(mine.Node)).some((session) => session.ID === id));
    await consul.session.destroy(id);
  },
  'a watch is told of each change': async (project) => {
    const key = `${project}/net`;
    await consul.kv.set(key, state(1));
    const watch = consul.watch({ method: consul.kv.get, options: { key, wait: '5s' } });
    const seen = [];
    await new Promise((resolve, reject) => {
      watch.on('error', reject);
      watch.on('change', ({ Value }) => {
        seen.push(JSON.parse(Value).serial);
        if (seen.length === 2) resolve();
        else consul.kv.set(key, state(2)).catch(reject);
      });
    });
    watch.end();
    assert.deepEqual(seen, [1, 2]);
  },
  'a transaction writes and reads': async (project) => {
    const Key = `${project}/net`;
    const Value = state(1).toString('base64');
    await consul.transaction.create([{ KV: { Verb: 'set', Key, Value } }]);
    const { Results } = await consul.transaction.create([{ KV: { Verb: 'get', Key } }]);
    assert.equal(Results[0].KV.Value, Value);
    await refused(consul.transaction.create([{ KV: { Verb: 'cas', Key, Value, Index: 1 } }]), status(409));
  },
  'the agent its leader and its datacenter are told': async () => {
    assert.equal((await consul.agent.self()).Config.Datacenter, 'dc1');
    assert.ok(await consul.status.leader());
    assert.deepEqual(await consul.catalog.datacenters(), ['dc1']);
  },
  'a wrong token and another datacenter are refused': async (project) => {
    await refused(clientOf('nobody.nothing').kv.get(`${project}/net`), status(403));
    await refused(consul.kv.get({ key: `${project}/net`, dc: 'west' }), status(501));
  },
});
