package screen

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mirsal/e2e/terminal"
)

// microphone is what browsers are started with that hear a beep, and ask nobody.
var microphone = []string{"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"}

// newMixedHouse is a house in which carol has Profanity, which fetches files by TLS alone.
func newMixedHouse(t *testing.T, names ...string) *house {
	t.Helper()
	h := prepared(t)
	files := freePort(t)
	h.opens(append(names, "carol"), "--http", files, "--set", "upload.public_url=https://"+strings.Replace(files, "127.0.0.1", domain, 1))
	h.carol = newCarol(t, h.Addr("c2s"))
	return h
}

// A carol is a person with Profanity, who does what a story wishes.
type carol struct {
	*terminal.Profanity
	folder string // with what she sends and saves
}

// A soft test ends what it does by a panic with the words, so that a story hears of it and
// can show its pages.
type soft struct{ testing.TB }

type trouble string

func (soft) Fatal(words ...any)                { panic(trouble(fmt.Sprint(words...))) }
func (soft) Fatalf(format string, args ...any) { panic(trouble(fmt.Sprintf(format, args...))) }

func newCarol(t *testing.T, server string) *carol {
	t.Helper()
	c := &carol{folder: t.TempDir()}
	defer func() {
		if r, ok := recover().(trouble); ok {
			t.Fatal(r)
		}
	}()
	c.Profanity = terminal.NewProfanity(soft{t}, "carol@"+domain, password)
	c.Connect(server)
	c.MakesKeys()
	c.Enter("/correction on")
	return c
}

// does is a wish: a word for what, and what with.
func (c *carol) does(wish string) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case trouble:
			err = fmt.Errorf("%s\n%s", r, c.Screen())
		default:
			panic(r)
		}
	}()
	verb, with, _ := strings.Cut(wish, " ")
	switch verb {
	case "accepts":
		c.Accepts(with)
	case "opens":
		c.Opens(with)
	case "encrypts":
		c.Encrypts(with)
	case "enters":
		room, name, _ := strings.Cut(with, " ")
		c.EntersRoom(room, name)
	case "knows":
		return c.knows(with)
	case "types":
		c.Enter(with)
	case "sees":
		c.Sees(with)
	case "away":
		c.Disconnect()
	case "back":
		c.Reconnect()
	case "sends":
		c.Enter("/sendfile " + filepath.Join(c.folder, with))
	case "hears":
		return c.gets("a sound", func(got []byte) bool { return bytes.HasPrefix(got, []byte(matroska)) })
	case "saves":
		return c.saves(with)
	default:
		return fmt.Errorf("carol cannot %q", verb)
	}
	return nil
}

// knows waits until she can encrypt for an address: she has the list of its devices anew
// with each connection, and their keys once.
func (c *carol) knows(address string) error {
	from := `from="` + address + `"`
	return terminal.Await("carol to know the devices of "+address, func() bool {
		lines := c.Wire()
		here := 0
		for i, line := range lines {
			if strings.Contains(line, "urn:ietf:params:xml:ns:xmpp-bind") {
				here = i
			}
		}
		has := func(lines []string, word string) bool {
			return slices.ContainsFunc(lines, func(l string) bool {
				return strings.Contains(l, "RECV: ") && strings.Contains(l, from) && strings.Contains(l, word)
			})
		}
		return has(lines[here:], "axolotl.devicelist") && has(lines, "<bundle ")
	})
}

// aesgcm is a link that somebody else has sent, with the key and the initialisation vector
// behind it, where the screen's lines end at no word.
var aesgcm = regexp.MustCompile(`@localhost/[^:]*:(aesgcm://[^#]*#[0-9a-f]{88})`)

// saves has carol save the file behind the last link that she sees, which must be the one
// that a story has put into her folder.
func (c *carol) saves(name string) error {
	want, err := os.ReadFile(filepath.Join(c.folder, name))
	if err != nil {
		return err
	}
	return c.gets("the bytes of "+name, func(got []byte) bool { return bytes.Equal(got, want) })
}

// gets has her save what is behind it, and waits until it is as wanted.
func (c *carol) gets(what string, right func([]byte) bool) error {
	var link string
	err := terminal.Await("carol to see a link", func() bool {
		found := aesgcm.FindAllStringSubmatch(strings.Join(strings.Fields(c.Screen()), ""), -1)
		if len(found) > 0 {
			link = found[len(found)-1][1]
		}
		return link != ""
	})
	if err != nil {
		return err
	}
	saved := filepath.Join(c.folder, "saved")
	c.Enter("/url save " + link + " " + saved)
	return terminal.Await("carol to have "+what, func() bool {
		got, err := os.ReadFile(saved)
		return err == nil && right(got)
	})
}

// matroska is how sounds begin that Chromium records.
const matroska = "\x1aE\xdf\xa3"

// marker is in all that is said in the story of a group, and on no disk of a server.
const marker = "zanzibar"

// secret looks through all that the server keeps for what was said.
func (h *house) secret() {
	h.t.Helper()
	if err := h.Stop(); err != nil {
		h.t.Error(err)
	}
	looked := false
	err := filepath.WalkDir(h.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(raw), []byte(marker)) {
			h.t.Errorf("%s has what was said", path)
		}
		looked = looked || bytes.Contains(raw, []byte("eu.siacs.conversations.axolotl"))
		return err
	})
	if err != nil || !looked {
		h.t.Errorf("nothing was looked at: %v", err)
	}
}

func TestFourPeopleOfTwoMakersTalkInAGroup(t *testing.T) {
	h := newMixedHouse(t, "alice", "bob", "dina")
	h.tell("group", map[string]any{"folder": h.carol.folder, "marker": marker})
	h.secret()
}

func TestVoicesAreRecordedHeardAndGotByOthers(t *testing.T) {
	h := newMixedHouse(t, "alice", "bob")
	h.tell("voice", map[string]any{"browser": microphone})
}

func TestAGroupAndWhatIsSentAlongLookAsTheyDidAndCanBeUsedByEverybody(t *testing.T) {
	compare(t, newHouse(t, "alice", "bob", "dina").tell("gathered", map[string]any{"browser": microphone}))
}

func TestPhotosAndFilesAreSentSeenAndKept(t *testing.T) {
	h := prepared(t)
	h.opens([]string{"alice", "bob"}, "--set", "upload.public_url=http://"+h.web, "--set", "upload.max_size=9000000")
	h.tell("files", nil)
}

func TestPeopleFindEachOtherAndComeToAGroupLater(t *testing.T) {
	newHouse(t, "alice", "bob", "dina").tell("people", nil)
}
