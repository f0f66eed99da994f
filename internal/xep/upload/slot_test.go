package upload

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFileIsPutAndGotByItsLinks(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		put, get := h.slot(alice, "très cool.jpg", 4, "image/jpeg")
		has(h.T, put, "https://example.org:5443/upload/", "/tr%C3%A8s%20cool.jpg")
		has(h.T, get, "https://example.org:5443/upload/", "/tr%C3%A8s%20cool.jpg")
		if put == get {
			t.Error("who has the link of a file could put another")
		}
		if status, _ := h.got(get); status != http.StatusNotFound {
			t.Error("there before it was put", status)
		}
		if status := h.put(put, "text", "Content-Type", "image/jpeg"); status != http.StatusCreated {
			t.Fatal(status)
		}
		if status, text := h.got(get); status != http.StatusOK || text != "text" {
			t.Error(status, text)
		}
		for _, wrong := range []string{put, get + "x", strings.Replace(get, "cool", "bad", 1), get[:len(get)-20]} {
			if status, _ := h.got(wrong); status != http.StatusNotFound {
				t.Errorf("%s: %d", wrong, status)
			}
		}
		if status := h.put(get, "text"); status != http.StatusNotFound {
			t.Error("put by the link to get it:", status)
		}
	})
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		for attrs, condition := range map[string]string{
			"size='5'": "bad-request", "filename='' size='5'": "bad-request", "filename='a'": "bad-request",
			"filename='a' size='0'": "bad-request", "filename='a' size='-1'": "bad-request", "filename='a' size='5x'": "bad-request",
			"filename='a' size='99999999999999999999'": "bad-request", "filename='a' size='9223372036854775807'": "<file-too-large",
			"filename='a' size='1001'":                     "<max-file-size>1000</max-file-size>",
			"filename='a' size='5' content-type='no type'": "bad-request", "filename='" + strings.Repeat("a", 1025) + "' size='5'": "bad-request",
		} {
			if put, _, answer := h.ask(alice, attrs); put != "" || !strings.Contains(answer, condition) {
				t.Errorf("%s: %s", attrs, answer)
			}
		}
		alice.Send("<iq type='set' id='s' to='upload.example.org'><request xmlns='" + ns + "' filename='a' size='5'/></iq>")
		has(h.T, alice.Got(), "bad-request")
		if got := h.told(alice); got != "0 0" {
			t.Error("counted all the same:", got)
		}
	})
}

func TestOnlyAccountsGetSlots(t *testing.T) {
	run(t, config(), func(h *house) {
		nobody := h.Login("nobody@example.org/a")
		h.Absent = append(h.Absent, "nobody")
		_, _, answer := h.ask(nobody, "filename='a' size='5'")
		has(h.T, answer, "<forbidden", "type='auth'")
		nobody.Send("<iq type='get' id='q' to='upload.example.org'><quota xmlns='" + nsQuota + "'/></iq>")
		has(h.T, nobody.Got(), "<forbidden")
	})
}

func TestASlotIsGoodForFiveMinutes(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		put, get := h.slot(alice, "a", 4, "")
		time.Sleep(slotLife - time.Second)
		if got := h.told(alice); got != "4 1" {
			t.Error("a slot counts as its file:", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if status := h.put(put, "text"); status != http.StatusNotFound {
			t.Error(status)
		}
		if got := h.told(alice); got != "0 0" || h.u.promised != 0 || len(h.u.slots) != 0 {
			t.Error("left of it:", got, h.u.promised, len(h.u.slots))
		}
		if status, _ := h.got(get); status != http.StatusNotFound {
			t.Error(status)
		}
	})
}

func TestPurposesAreKeptToOrRefused(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		purpose := func(child string) (put, get, answer string) {
			return h.ask(alice, "filename='a' size='4'", child)
		}
		for child, condition := range map[string]string{
			"<profile xmlns='" + nsPurpose + "'/>": "feature-not-implemented", "<permanent xmlns='" + nsPurpose + "'/>": "feature-not-implemented",
			"<ephemeral xmlns='" + nsPurpose + "'/>": "bad-request", "<ephemeral xmlns='" + nsPurpose + "' expire-before='1999-01-01T00:00:00Z'/>": "bad-request",
		} {
			if put, _, answer := purpose(child); put != "" || !strings.Contains(answer, condition) {
				t.Errorf("%s: %s", child, answer)
			}
		}
		before := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		put, brief, _ := purpose("<ephemeral xmlns='" + nsPurpose + "' expire-before='" + before + "'/>")
		h.put(put, "text")
		put, usual, _ := purpose("<message xmlns='" + nsPurpose + "'/>")
		h.put(put, "text")
		time.Sleep(time.Hour - time.Second)
		if status, _ := h.got(brief); status != http.StatusOK {
			t.Error(status)
		}
		time.Sleep(time.Second)
		if status, _ := h.got(brief); status != http.StatusNotFound {
			t.Error("there after its time:", status)
		}
		if status, _ := h.got(usual); status != http.StatusOK {
			t.Error(status)
		}
	})
}
