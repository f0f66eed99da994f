package store

import (
	"context"
	"sync"
)

// together is how many owners' ops are under way at a time: an engine syncs
// the disk once for those that wait.
const together = 1024

// ApplyAll applies the ops of many owners, each owner's as one atomic step as
// Apply does, and in far less time than one after the other. It returns the
// errors of the owners whose ops were not applied.
func ApplyAll(ctx context.Context, kv KV, ops map[string][]Op) map[string]error {
	owners := make(chan string)
	failed := map[string]error{}
	var mu sync.Mutex // of failed
	var all sync.WaitGroup
	for range min(together, len(ops)) {
		all.Go(func() {
			for owner := range owners {
				if err := kv.Apply(ctx, owner, ops[owner]...); err != nil {
					mu.Lock()
					failed[owner] = err
					mu.Unlock()
				}
			}
		})
	}
	for owner := range ops {
		owners <- owner
	}
	close(owners)
	all.Wait()
	return failed
}
