"""What programs with python-consul2 do with keys of states."""

import base64
import json
import time
from urllib.parse import urlsplit

import consul
from trials import ID, SECRET, SERVER, fails, lock_info, play, state, trial

_WHERE = urlsplit(SERVER)


def client(token):
    return consul.Consul(host=_WHERE.hostname, port=_WHERE.port, scheme=_WHERE.scheme, token=token, verify=False)


C = client(f"{ID}.{SECRET}")


@trial
def a_state_is_written_read_and_deleted_on_conditions(project):
    key = f"{project}/net"
    assert C.kv.get(key)[1] is None
    assert C.kv.put(key, state(1), cas=0)
    assert not C.kv.put(key, state(2), cas=0)
    index, pair = C.kv.get(key)
    assert (pair["Value"], pair["ModifyIndex"]) == (state(1), int(index))
    assert C.kv.put(key, state(2), cas=pair["ModifyIndex"])
    assert not C.kv.delete(key, cas=pair["ModifyIndex"])
    assert C.kv.delete(key, cas=C.kv.get(key)[1]["ModifyIndex"])
    assert C.kv.get(key)[1] is None


@trial
def keys_are_listed_up_to_a_separator_and_recursively(project):
    for key in ("a/x", "a/y", "b"):
        C.kv.put(f"{project}/{key}", state(1))
    assert C.kv.get(f"{project}/", keys=True)[1] == [f"{project}/{key}" for key in ("a/x", "a/y", "b")]
    assert C.kv.get(f"{project}/", keys=True, separator="/")[1] == [f"{project}/a/", f"{project}/b"]
    assert [one["Value"] for one in C.kv.get(f"{project}/a/", recurse=True)[1]] == [state(1)] * 2
    assert C.kv.delete(f"{project}/a/", recurse=True)
    assert C.kv.get(f"{project}/", keys=True)[1] == [f"{project}/b"]


@trial
def a_query_waits_for_a_change(project):
    key = f"{project}/net"
    C.kv.put(key, state(1))
    index, _ = C.kv.get(key)
    began = time.monotonic()
    assert C.kv.get(key, index=index, wait="1s")[0] == index
    assert time.monotonic() - began > 0.9
    C.kv.put(key, state(2))
    assert json.loads(C.kv.get(key, index=index, wait="10s")[1]["Value"])["serial"] == 2


@trial
def a_session_holds_the_lock_until_it_ends(project):
    lock = f"{project}/net/.lock"
    one, two = (C.session.create(name="py", ttl=30, lock_delay=0) for _ in "12")
    assert C.kv.put(lock, "", acquire=one)
    C.kv.put(f"{project}/net/.lockinfo", lock_info(one))
    assert json.loads(C.kv.get(f"{project}/net/.lockinfo")[1]["Value"])["Who"] == "py@host"
    assert not C.kv.put(lock, "", acquire=two)
    assert C.kv.get(lock)[1]["Session"] == one
    assert C.session.renew(one)["ID"] == one
    assert C.session.destroy(one)
    assert C.kv.get(lock)[1] is None
    third = C.session.create(ttl=30)
    assert C.kv.put(lock, "", acquire=third)
    assert C.kv.put(lock, "", release=third)
    for session in (two, third):
        assert C.session.destroy(session)


@trial
def sessions_are_told_and_listed(project):
    session = C.session.create(name=project, behavior="delete", ttl=10)
    told = C.session.info(session)[1]
    assert (told["Name"], told["Behavior"], told["TTL"]) == (project, "delete", "10s")
    assert session in [one["ID"] for one in C.session.list()[1]]
    assert session in [one["ID"] for one in C.session.node(told["Node"])[1]]
    assert C.session.destroy(session)


@trial
def a_transaction_writes_reads_and_checks(project):
    key = f"{project}/net"
    value = base64.b64encode(state(1)).decode()
    C.txn.put([{"KV": {"Verb": "set", "Key": key, "Value": value}}])
    found = C.txn.put([{"KV": {"Verb": "get", "Key": key}}])
    assert base64.b64decode(found["Results"][0]["KV"]["Value"]) == state(1)
    fails(consul.ConsulException, C.txn.put, [{"KV": {"Verb": "cas", "Key": key, "Value": value, "Index": 1}}])


@trial
def the_leader_is_told_without_a_token(_project):
    assert C.status.leader() and C.status.peers()


@trial
def the_agent_and_its_datacenter_are_told(_project):
    assert C.agent.self()["Config"]["Datacenter"] == "dc1"
    assert C.catalog.datacenters() == ["dc1"]


@trial
def every_consistency_mode_is_answered(project):
    C.kv.put(f"{project}/net", state(1))
    for mode in ("default", "consistent", "stale"):
        other = consul.Consul(host=_WHERE.hostname, port=_WHERE.port, scheme=_WHERE.scheme, token=f"{ID}.{SECRET}", consistency=mode, verify=False)
        assert other.kv.get(f"{project}/net")[1]["Value"] == state(1)


@trial
def a_wrong_token_and_another_datacenter_are_refused(project):
    fails(consul.ACLPermissionDenied, client("nobody.nothing").kv.get, f"{project}/net")
    fails(consul.ConsulException, C.kv.get, f"{project}/net", dc="west")


play()
