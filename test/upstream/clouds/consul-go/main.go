// What programs with Consul's own package for Go do with keys of states, against the server that SERVER names.
//
// Prints a line for each trial, `pass NAME` or `fail NAME: why`. Each has a project of its own.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

type trial struct {
	name string
	run  func(project string) error
}

var client = connect(os.Getenv("ID") + "." + os.Getenv("SECRET"))

func connect(token string) *api.Client {
	made, err := api.NewClient(&api.Config{Address: os.Getenv("SERVER"), Token: token})
	if err != nil {
		panic(err)
	}
	return made
}

func state(serial int, size int) []byte {
	filler := strings.Repeat("x", size)
	return []byte(fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":"l","outputs":{},"resources":[],"filler":"%s"}`, serial, filler))
}

func that(holds bool, what string) error {
	if holds {
		return nil
	}
	return errors.New(what)
}

func keys(project string) error {
	kv, key := client.KV(), project+"/net"
	first, _, err := kv.CAS(&api.KVPair{Key: key, Value: state(1, 0)}, nil)
	if err != nil || !first {
		return fmt.Errorf("the first write: %v %w", first, err)
	}
	if again, _, err := kv.CAS(&api.KVPair{Key: key, Value: state(2, 0)}, nil); err != nil || again {
		return fmt.Errorf("a write over what is there: %v %v", again, err)
	}
	pair, meta, err := kv.Get(key, nil)
	if err != nil || !bytes.Equal(pair.Value, state(1, 0)) || meta.LastIndex != pair.ModifyIndex {
		return fmt.Errorf("the read: %v %v", pair, err)
	}
	if done, _, err := kv.CAS(&api.KVPair{Key: key, Value: state(2, 0), ModifyIndex: pair.ModifyIndex}, nil); err != nil || !done {
		return fmt.Errorf("the second write: %v %v", done, err)
	}
	if done, _, err := kv.DeleteCAS(pair, nil); err != nil || done {
		return fmt.Errorf("a deletion of what was changed: %v %v", done, err)
	}
	if _, err := kv.Delete(key, nil); err != nil {
		return err
	}
	gone, _, err := kv.Get(key, nil)
	return errors.Join(err, that(gone == nil, "it is there after its deletion"))
}

func lists(project string) error {
	kv := client.KV()
	for _, key := range []string{"a/x", "a/y", "b"} {
		if _, err := kv.Put(&api.KVPair{Key: project + "/" + key, Value: state(1, 0)}, nil); err != nil {
			return err
		}
	}
	names, _, err := kv.Keys(project+"/", "/", nil)
	if err != nil || strings.Join(names, " ") != project+"/a/ "+project+"/b" {
		return fmt.Errorf("keys: %v %v", names, err)
	}
	pairs, _, err := kv.List(project+"/a/", nil)
	if err != nil || len(pairs) != 2 {
		return fmt.Errorf("pairs: %v %v", pairs, err)
	}
	if _, err := kv.DeleteTree(project+"/a/", nil); err != nil {
		return err
	}
	left, _, err := kv.Keys(project+"/", "", nil)
	return errors.Join(err, that(len(left) == 1, fmt.Sprint(left)))
}

func blocking(project string) error {
	kv, key := client.KV(), project+"/net"
	if _, err := kv.Put(&api.KVPair{Key: key, Value: state(1, 0)}, nil); err != nil {
		return err
	}
	_, meta, err := kv.Get(key, nil)
	if err != nil {
		return err
	}
	go func() {
		time.Sleep(200 * time.Millisecond)
		_, _ = kv.Put(&api.KVPair{Key: key, Value: state(2, 0)}, nil)
	}()
	began := time.Now()
	pair, next, err := kv.Get(key, &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: 10 * time.Second})
	if err != nil || !bytes.Equal(pair.Value, state(2, 0)) || next.LastIndex <= meta.LastIndex {
		return fmt.Errorf("after the change: %v %v", next, err)
	}
	_, _, err = kv.Get(key, &api.QueryOptions{WaitIndex: next.LastIndex + 1000, WaitTime: 10 * time.Second})
	return errors.Join(err, that(time.Since(began) < 5*time.Second, "an index of the future was waited for"))
}

func modes(project string) error {
	kv, key := client.KV(), project+"/net"
	if _, err := kv.Put(&api.KVPair{Key: key, Value: state(1, 0)}, nil); err != nil {
		return err
	}
	for _, mode := range []*api.QueryOptions{{}, {RequireConsistent: true}, {AllowStale: true}} {
		if pair, meta, err := kv.Get(key, mode); err != nil || pair == nil || !meta.KnownLeader {
			return fmt.Errorf("%v: %v %v", mode, pair, err)
		}
	}
	return nil
}

func locks(project string) error {
	options := &api.LockOptions{Key: project + "/net/.lock", SessionName: "trial", LockTryOnce: true, LockWaitTime: time.Second}
	first, err := client.LockOpts(options)
	if err != nil {
		return err
	}
	lost, err := first.Lock(nil)
	if err != nil || lost == nil {
		return fmt.Errorf("a free lock: %v", err)
	}
	other := connect(os.Getenv("ID") + "." + os.Getenv("SECRET"))
	second, err := other.LockOpts(options)
	if err != nil {
		return err
	}
	if got, err := second.Lock(nil); err != nil || got != nil {
		return fmt.Errorf("a lock that is held: %v %v", got, err)
	}
	if err := first.Unlock(); err != nil {
		return err
	}
	if got, err := second.Lock(nil); err != nil || got == nil {
		return fmt.Errorf("a lock that was released: %v", err)
	}
	return errors.Join(second.Unlock(), second.Destroy())
}

func lostSession(project string) error {
	lock, err := client.LockOpts(&api.LockOptions{Key: project + "/net/.lock"})
	if err != nil {
		return err
	}
	lost, err := lock.Lock(nil)
	if err != nil {
		return err
	}
	pair, _, err := client.KV().Get(project+"/net/.lock", nil)
	if err != nil || pair == nil {
		return fmt.Errorf("the lock's key: %v", err)
	}
	if _, err := client.Session().Destroy(pair.Session, nil); err != nil {
		return err
	}
	select {
	case <-lost:
		return nil
	case <-time.After(20 * time.Second):
		return errors.New("nobody was told that the session was destroyed")
	}
}

func sessions(project string) error {
	all := client.Session()
	id, _, err := all.Create(&api.SessionEntry{Name: project, TTL: "10s", Behavior: api.SessionBehaviorDelete, LockDelay: time.Millisecond}, nil)
	if err != nil {
		return err
	}
	told, _, err := all.Info(id, nil)
	if err != nil || told.Name != project || told.TTL != "10s" || told.Behavior != api.SessionBehaviorDelete {
		return fmt.Errorf("info: %v %v", told, err)
	}
	if one, _, err := all.Renew(id, nil); err != nil || one == nil {
		return fmt.Errorf("renew: %v", err)
	}
	listed, _, err := all.Node(told.Node, nil)
	if err != nil || len(listed) == 0 {
		return fmt.Errorf("node: %v", err)
	}
	if _, err := all.Destroy(id, nil); err != nil {
		return err
	}
	gone, _, err := all.Info(id, nil)
	return errors.Join(err, that(gone == nil, "it is there after its end"))
}

func transactions(project string) error {
	txn, key := client.Txn(), project+"/net"
	do := func(operations ...*api.KVTxnOp) (bool, *api.TxnResponse, error) {
		all := api.TxnOps{}
		for _, operation := range operations {
			all = append(all, &api.TxnOp{KV: operation})
		}
		ok, answer, _, err := txn.Txn(all, nil)
		return ok, answer, err
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVCheckNotExists, Key: key}); err != nil || !ok {
		return fmt.Errorf("check-not-exists: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVSet, Key: key, Value: state(1, 0)}); err != nil || !ok {
		return fmt.Errorf("set: %v %v", ok, err)
	}
	ok, answer, err := do(&api.KVTxnOp{Verb: api.KVGet, Key: key})
	if err != nil || !ok || !bytes.Equal(answer.Results[0].KV.Value, state(1, 0)) {
		return fmt.Errorf("get: %v %v", ok, err)
	}
	index := answer.Results[0].KV.ModifyIndex
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVCheckIndex, Key: key, Index: index}, &api.KVTxnOp{Verb: api.KVGet, Key: key}); err != nil || !ok {
		return fmt.Errorf("check-index: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVGetTree, Key: project + "/"}); err != nil || !ok {
		return fmt.Errorf("get-tree: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVGetOrEmpty, Key: project + "/none"}); err != nil || !ok {
		return fmt.Errorf("get-or-empty: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVCAS, Key: key, Value: state(2, 0), Index: index}); err != nil || !ok {
		return fmt.Errorf("cas: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVDeleteCAS, Key: key, Index: index}); err != nil || ok {
		return fmt.Errorf("delete-cas of what was changed: %v %v", ok, err)
	}
	session, _, err := client.Session().Create(&api.SessionEntry{TTL: "30s"}, nil)
	if err != nil {
		return err
	}
	for _, verb := range []api.KVOp{api.KVLock, api.KVCheckSession, api.KVUnlock} {
		if ok, answer, err := do(&api.KVTxnOp{Verb: verb, Key: key + "/.lock", Session: session}); err != nil || !ok {
			return fmt.Errorf("%s: %v %v %v", verb, ok, answer, err)
		}
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVDelete, Key: key}); err != nil || !ok {
		return fmt.Errorf("delete: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVSet, Key: project + "/other", Value: state(1, 0)}); err != nil || !ok {
		return fmt.Errorf("set: %v %v", ok, err)
	}
	if ok, _, err := do(&api.KVTxnOp{Verb: api.KVDeleteTree, Key: project + "/"}); err != nil || !ok {
		return fmt.Errorf("delete-tree: %v %v", ok, err)
	}
	return nil
}

func largeState(project string) error {
	// A transaction carries it whole, where Consul itself would want it in chunks.
	value := state(1, 8<<20)
	ok, answer, _, err := client.Txn().Txn(api.TxnOps{{KV: &api.KVTxnOp{Verb: api.KVSet, Key: project + "/net", Value: value}}}, nil)
	if err != nil || !ok {
		return fmt.Errorf("%v %v", answer, err)
	}
	pair, _, err := client.KV().Get(project+"/net", nil)
	return errors.Join(err, that(pair != nil && bytes.Equal(pair.Value, value), "other bytes came back"))
}

func told(string) error {
	leader, err := client.Status().Leader()
	if err != nil || leader == "" {
		return fmt.Errorf("leader: %v", err)
	}
	if peers, err := client.Status().Peers(); err != nil || len(peers) == 0 {
		return fmt.Errorf("peers: %v", err)
	}
	if centers, err := client.Catalog().Datacenters(); err != nil || strings.Join(centers, " ") != "dc1" {
		return fmt.Errorf("datacenters: %v %v", centers, err)
	}
	if self, err := client.Agent().Self(); err != nil || self["Config"]["Datacenter"] != "dc1" {
		return fmt.Errorf("self: %v", err)
	}
	_, _, err = client.ACL().TokenReadSelf(nil)
	return err
}

func refusals(project string) error {
	kv := client.KV()
	if _, _, err := connect("nobody.nothing").KV().Get(project+"/net", nil); err == nil || !strings.Contains(err.Error(), "403") {
		return fmt.Errorf("a wrong token: %v", err)
	}
	if _, _, err := kv.Get(project+"/net", &api.QueryOptions{Datacenter: "west"}); err == nil || !strings.Contains(err.Error(), "west") {
		return fmt.Errorf("another datacenter: %v", err)
	}
	if _, err := kv.Put(&api.KVPair{Key: project + "/net", Value: []byte("hello")}, nil); err == nil || !strings.Contains(err.Error(), "400") {
		return fmt.Errorf("no state: %v", err)
	}
	if _, err := kv.Put(&api.KVPair{Key: "alone", Value: state(1, 0)}, nil); err == nil || !strings.Contains(err.Error(), "project") {
		return fmt.Errorf("a key without a project: %v", err)
	}
	_, _, err := kv.Acquire(&api.KVPair{Key: project + "/net/.lock", Session: "0b0b0b0b-0000-0000-0000-000000000000"}, nil)
	return that(err != nil && strings.Contains(err.Error(), "invalid session"), fmt.Sprintf("no session: %v", err))
}

func main() {
	only := ""
	if len(os.Args) > 1 {
		only = os.Args[1]
	}
	trials := []trial{
		{"a state is written read and deleted on conditions", keys},
		{"keys are listed up to a separator and recursively", lists},
		{"a query waits for a change and for no index of the future", blocking},
		{"every consistency mode is answered", modes},
		{"a lock is taken once and handed on", locks},
		{"a holder is told that its session was destroyed", lostSession},
		{"sessions are told listed renewed and destroyed", sessions},
		{"every verb of a transaction is done", transactions},
		{"a large state is taken whole", largeState},
		{"the agent its leader its datacenter and the token are told", told},
		{"what is wrong is refused in Consul's words", refusals},
	}
	for number, one := range trials {
		if !strings.Contains(one.name, only) {
			continue
		}
		if err := one.run(fmt.Sprintf("trial-%d", number)); err != nil {
			fmt.Printf("fail %s: %s\n", one.name, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("pass " + one.name)
		}
	}
}
