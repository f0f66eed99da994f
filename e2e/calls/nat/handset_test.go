//go:build linux

package nat

import (
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/calls/phone"
	"mirsal/internal/client/port"
)

// handset is `mirsal call` at work in somebody's place.
type handset struct {
	*phone.Phone
	t testing.TB
}

// phone starts `mirsal call` with arguments.
func (p *person) phone(t testing.TB, args ...string) *handset {
	t.Helper()
	return &handset{phone.Dial(t, p.bin, p.Folder, args...), t}
}

// counted is all that was, in order.
func counted(said []phone.Line) (all []phone.Stats) {
	for _, l := range said {
		if l.Event == "callStats" {
			all = append(all, l.Stats)
		}
	}
	return all
}

// last is the last that was counted.
func last(said []phone.Line) (now phone.Stats) {
	if all := counted(said); len(all) > 0 {
		now = all[len(all)-1]
	}
	return now
}

// state waits for a call to be in a state: id is the end of its name, or "" for the first.
func (k *handset) state(id, state string) port.Call {
	k.t.Helper()
	return k.Until("a call that is "+state, func(l phone.Line) bool { return l.Call.State == state && strings.HasSuffix(l.Call.ID, id) }).Call
}

// online waits until the server is there, or is not.
func (k *handset) online(is bool) {
	k.t.Helper()
	k.Await("the server", func(said []phone.Line) bool {
		var now port.Status
		for _, l := range slices.Backward(said) {
			if l.Event == "status" {
				now = l.Status
				break
			}
		}
		return (now.State == "online" && now.Synced) == is
	})
}

// hears waits until more has come, of all kinds that it has, and returns by which way.
func (k *handset) hears(video bool) string {
	k.t.Helper()
	from := last(k.Said())
	const more = 10
	var now phone.Stats
	k.Await("more to hear", func(said []phone.Line) bool {
		now = last(said)
		return now.Path != "" && now.Audio.Packets >= from.Audio.Packets+more && now.Audio.SentFrames >= from.Audio.SentFrames+more &&
			(!video || now.Video.Frames >= from.Video.Frames+more && now.Video.SentFrames >= from.Video.SentFrames+more)
	})
	return now.Path
}

// silent waits until nothing was heard for so long that it has looked for another way, once at least.
func (k *handset) silent() {
	k.t.Helper()
	const counts = 65 // ten in a second: it is missed after five
	k.Await("silence", func(said []phone.Line) bool {
		all := counted(said)
		n := len(all)
		return n > counts && all[n-1].Audio.Packets == all[n-1-counts].Audio.Packets
	})
}
