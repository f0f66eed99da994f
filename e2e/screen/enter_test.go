package screen

import (
	"context"
	"encoding/json"
	"regexp"
	"testing"
	"time"
)

// invitation makes one at the command line, and returns its link and ID.
func (h *house) invitation(how ...string) (link, id string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	out, err := h.Command(ctx, "", append([]string{"invite", "--json"}, how...)...)
	var made struct{ Link, ID string }
	if err == nil {
		err = json.Unmarshal([]byte(out), &made)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return made.Link, made.ID
}

// revoked is the link of an invitation that was taken back.
func (h *house) revoked() string {
	h.t.Helper()
	link, id := h.invitation()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	if _, err := h.Command(ctx, "", "invite", "revoke", id); err != nil {
		h.t.Fatal(err)
	}
	return link
}

// first is the link that the server prints when it starts for the first time.
func (h *house) first() string {
	h.t.Helper()
	found := regexp.MustCompile(`The same for a browser: (\S+)`).FindStringSubmatch(h.Log())
	if found == nil {
		h.t.Fatal("the server has printed no link for a browser")
	}
	return found[1]
}

func TestANewcomerIsChattingAMomentAfterTheLinkWasOpened(t *testing.T) {
	h := newHouse(t)
	late, _ := h.invitation("--expires", "1s")
	folder := h.tell("invited", map[string]any{"first": h.first(), "revoked": h.revoked(), "late": late})
	compare(t, folder)
}

func TestASecondDeviceIsLinkedByTheCodeOnTheScreenAndHasEverything(t *testing.T) {
	compare(t, newHouse(t, "alice", "bob").tell("linking", nil))
}

func TestALinkedDeviceWaitsWhereTheServerHasItWaitAndCanBeRefused(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice"}, "--set", "auth.link_wait=45s")
	compare(t, h.tell("waiting", nil))
}

func TestANewKeyIsToldCalmlyAndCodesAreComparedByCameraAndByEye(t *testing.T) {
	compare(t, newHouse(t, "alice", "bob").tell("keys", nil))
}
