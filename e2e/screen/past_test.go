package screen

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"mirsal/e2e/device"
	"mirsal/e2e/mirsal"
	rows "mirsal/internal/client/keep"
	"mirsal/internal/client/keep/sqlite"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
)

// numberOf is what a variable of the environment says, or what is enough for a test: what
// docs/perf.md tells was measured with more.
func numberOf(name string, enough int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return enough
}

// A past is a long conversation of alice with bob, in the profile of a device of hers that a
// browser is linked to: the history comes to the browser as to any new device.
type past struct {
	*house
	many  int
	phone *device.Device
}

// begin makes the device, has it write so many lines of the past, and shows a code.
func (p *past) begin() (string, error) {
	p.phone = device.New(p.t, mirsal.Build(p.t), "alice's phone", "alice@"+domain, filepath.Join(p.Data, "tls", "ca.pem"))
	p.phone.Start(nil)
	p.phone.SignIn(password, p.Addr("c2s"))
	p.phone.Close()
	if err := p.write(); err != nil {
		return "", err
	}
	p.phone.Start(nil)
	p.phone.Synced()
	p.phone.Must(&port.AddContact{Address: "bob@" + domain})
	return p.phone.Must(&port.LinkShow{}).(*port.Code).Text, nil
}

// accept lets in who has scanned the code.
func (p *past) accept() error {
	p.phone.Until("a device that wants in", func(ev port.Event) bool { _, ok := ev.(*port.LinkAsked); return ok })
	p.phone.Must(&port.LinkConfirm{Accept: true})
	return nil
}

// write puts the lines into the profile's history, as the engine does when they come.
func (p *past) write() error {
	store, err := sqlite.Open(p.phone.Folder)
	if err != nil {
		return err
	}
	defer store.Close()
	book, err := timeline.Open(store, timeline.Config{Own: "alice@" + domain, Rand: rand.Reader})
	if err != nil {
		return err
	}
	var some rows.Batch
	for i := range p.many {
		for _, in := range lineOf(i, p.many) {
			change, err := book.Apply(in, in.Time)
			if err != nil {
				return err
			}
			some.Add(change.Batch)
		}
		if i%500 != 499 && i != p.many-1 {
			continue
		}
		if err := store.Apply(&some); err != nil {
			return err
		}
		some = rows.Batch{}
		book.Committed()
	}
	return readAll(store, book)
}

// readAll marks the newest message as seen.
func readAll(store rows.Store, book *timeline.Book) error {
	page, _, _, err := book.Page("bob@"+domain, "", 1)
	if err != nil {
		return err
	}
	_, change, err := book.MarkRead("bob@"+domain, page[0].ID)
	if err != nil {
		return err
	}
	return store.Apply(change.Batch)
}

// said are the texts of a past, in turns: short ones, long ones, in both directions.
var said = [...]string{
	"ok",
	"سأصل بعد عشر دقائق إن شاء الله",
	"Did you see what they wrote about the library? It opens on *Saturday*.",
	"👍",
	"نعم، رأيته صباح اليوم. لم أكن أتوقع أن يكتمل البناء بهذه السرعة، فقد مررت من هناك قبل شهرين ولم يكن هناك إلا الجدران.",
	"The address is https://example.org/places/library?floor=2 and the code of the door is `4711`.",
	"تمام",
	"On the way home I thought about it once more: what we need is a list of who brings what, otherwise it will be like last year, when we had four salads and not a single loaf of bread.\n\n> four salads\nReally, four. And nobody had thought of the children, who then ate nothing but the cake; so this time somebody should bring something for them, and I do not mind if that is me.",
	"غدًا الساعة ٥؟ let me know before noon",
	"Yes!",
	"أرسلت لك الملف أمس، هل وصل؟ إن لم يصل فسأرسله مرة أخرى الليلة بعد أن أعود من العمل، ومعه الصور التي طلبتها والقائمة الجديدة بالأسماء والعناوين.",
}

// lineOf is a message of the past, ten minutes after the one before, at times with what
// somebody thought of it: the newest is an hour old.
func lineOf(i, many int) []timeline.Incoming {
	in := spoken(i, time.Now().Add(-time.Hour-time.Duration(many-i)*10*time.Minute))
	in.Kind, in.Text = timeline.Text, fmt.Sprintf("%s (%d)", said[i%len(said)], i)
	if i%13 == 12 {
		in.ReplyTo, in.ReplyOf = fmt.Sprint("past", i-5), spoken(i-5, in.Time).Sender
	}
	if i%9 != 8 {
		return []timeline.Incoming{in}
	}
	sign := spoken(i+1, in.Time.Add(time.Minute))
	sign.ID, sign.OriginID = fmt.Sprint("sign", i), fmt.Sprint("sign", i)
	sign.Kind, sign.Ref, sign.Emoji = timeline.React, in.ID, []string{[]string{"❤️", "👍", "😂"}[i%3]}
	return []timeline.Incoming{in, sign}
}

func spoken(i int, at time.Time) timeline.Incoming {
	name := []string{"alice@" + domain, "bob@" + domain}[i/2%2]
	return timeline.Incoming{ID: fmt.Sprint("past", i), OriginID: fmt.Sprint("past", i), Envelope: timeline.Envelope{
		Chat: "bob@" + domain, Sender: name, Real: name, Mine: name == "alice@"+domain, Time: at,
		Source: timeline.Carbon, Lock: port.Lock{State: port.Locked},
	}}
}
