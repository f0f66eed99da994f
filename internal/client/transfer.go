package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"mirsal/internal/client/conn"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
	"mirsal/internal/client/timeline"
	"mirsal/internal/xmpp/jid"
	"mirsal/internal/xmpp/stanza"
)

// Files is what the host lends for files. Its methods are called from goroutines
// other than the engine's, and may block.
type Files interface {
	// Open opens a file to send by the name that SendFile gave, and tells its size.
	Open(path string) (r io.ReadCloser, size int64, err error)
	// Part keeps what has come of a download.
	Part(id string) files.Part
	// Save begins the file that a download becomes: at the path that Fetch named, or
	// ("") in the profile's own folder. where tells where it lies, after Commit.
	Save(path, name string) (sink files.Sink, where func() string, err error)
	// HTTP is how files go and come, and Policy to which addresses.
	HTTP() files.Doer
	Policy() files.Policy
}

// note is what an upload remembers of its message.
type note struct {
	Message string `json:"message"`
	Origin  string `json:"origin"`
	Type    string `json:"type"`
	Chat    string `json:"chat"`
	Text    string `json:"text,omitempty"` // a caption, said behind the file
}

func (e *Engine) transfers() *files.Transfers {
	return &files.Transfers{Doer: e.Files.HTTP(), Policy: e.Files.Policy(), Rand: e.Rand}
}

// sendFile puts a message with a file into the outbox, and begins to upload it.
func (e *Engine) sendFile(c *port.SendFile) {
	chat, ok := e.chatOf(c, c.Chat)
	if !ok {
		return
	}
	if e.Files == nil {
		e.fail(c, port.Failf(port.BadCommand, "files cannot be sent from here"))
		return
	}
	if len(c.Text) > mostText {
		e.fail(c, tooLong(c.Text))
		return
	}
	r, size, err := e.Files.Open(c.Path)
	if err != nil {
		e.fail(c, port.Failf(port.Missing, "%s", err))
		return
	}
	r.Close()
	name := c.Name
	if name == "" {
		name = path.Base(c.Path)
	}
	name = files.CleanName(name)
	o, change, ok := e.draft(c, timeline.Draft{Chat: chat, File: &timeline.File{Name: name, Type: c.Type, Size: size, State: "sending", Media: timeline.CleanMedia(c.Media)}})
	if !ok {
		return
	}
	about, _ := json.Marshal(note{Message: o.Message, Origin: o.OriginID, Type: c.Type, Chat: chat, Text: c.Text})
	p := files.Pending{ID: o.Message, Path: c.Path, Name: name, Size: size, Note: about}
	if err := files.PutUpload(change.Batch, p); err != nil {
		e.fail(c, port.Failf(port.Internal, "%s", err))
		return
	}
	if !e.change(change, nil) {
		return
	}
	e.done(c, port.Done{Message: o.Message, Chat: chat})
	if e.online() { // else when we are
		e.upload(p, chat, c.Ref.Ref)
	}
}

// resumeFiles takes up what was not sent: by the former run of the program, on a lost
// connection, or what is to be tried once more.
func (e *Engine) resumeFiles() {
	if e.Files == nil || !e.online() {
		return
	}
	waiting, err := files.Uploads(e.Store)
	if err != nil {
		e.breakDown(err)
		return
	}
	slices.SortFunc(waiting, func(a, b files.Pending) int { return cmp.Or(len(a.ID)-len(b.ID), strings.Compare(a.ID, b.ID)) }) // as they were said
	for _, p := range waiting {
		m, there, err := e.lines.Message(p.ID)
		if err != nil {
			e.breakDown(err)
			return
		}
		switch {
		case e.uploading[p.ID] != nil:
		case !there || m.Retracted:
			var b keep.Batch
			files.Drop(&b, p.ID)
			e.keepBatch(&b)
		case m.Delivery != port.Failed:
			e.upload(p, m.Chat, 0)
		}
	}
}

// upload sends a file beside the engine's own work, and its message when it is there: one after the
// other in a chat, so that they arrive as they were said.
func (e *Engine) upload(p files.Pending, chat string, ref uint64) {
	for id := range e.uploading {
		if m, there, err := e.lines.Message(id); err == nil && there && m.Chat == chat {
			return // resumeFiles comes back to this one
		}
	}
	ctx, cancel := context.WithCancel(e.ctx)
	e.uploading[p.ID] = cancel
	if ref != 0 {
		e.jobs[ref] = cancel
	}
	open := func() (io.ReadCloser, error) {
		r, size, err := e.Files.Open(p.Path)
		if err == nil && size != p.Size {
			r.Close()
			return nil, &files.Failure{Kind: files.Changed, Text: "the file has changed since"}
		}
		return r, err
	}
	tell := e.progress(p.ID)
	go func() {
		link, err := e.transfers().Upload(ctx, files.Outgoing{Name: p.Name, Size: p.Size, Open: open}, e.askSlot, tell)
		e.post(func() {
			cancel()
			delete(e.uploading, p.ID)
			delete(e.jobs, ref)
			e.uploaded(p, link, err)
			e.resumeFiles()
		})
	}()
}

// uploaded notes what became of an upload. Its row goes with that, but for what goes on later:
// in the next run, with the next connection, or by Retry.
func (e *Engine) uploaded(p files.Pending, link files.Link, err error) {
	f, ok, lookErr := e.lines.FileOf(p.ID)
	switch {
	case lookErr != nil:
		e.breakDown(lookErr)
		return
	case !ok: // it was taken back meanwhile
		var b keep.Batch
		files.Drop(&b, p.ID)
		e.keepBatch(&b)
		return
	case err != nil && (e.ctx.Err() != nil || !e.online() && !errors.Is(err, context.Canceled)):
		return
	}
	var n note
	_ = json.Unmarshal(p.Note, &n) // one's own, written by sendFile
	if err != nil {
		why := transferFailure(err)
		f.State, f.Why = "failed", why.Code
		change, lineErr := e.lines.SetFile(p.ID, f)
		if e.change(change, lineErr) {
			e.change(e.lines.Failed(n.Origin, why.Text, e.Now()))
		}
		return
	}
	f.State, f.URL, f.Path = "here", link.Text(), p.Path
	e.sendLink(p.ID, f, n)
}

// sendLink gives a message its link, and puts the caption behind it, a message of its own: who
// reads a link looks for nothing else there. Both or neither are kept.
func (e *Engine) sendLink(message string, f timeline.File, n note) {
	change, err := e.lines.SetFile(message, f)
	if err != nil {
		e.change(change, err)
		return
	}
	files.Drop(change.Batch, message)
	if n.Text != "" {
		_, caption, ok := e.draft(&port.Send{}, timeline.Draft{Chat: n.Chat, Text: n.Text})
		if ok {
			change.Batch.Add(caption.Batch)
			change.Events = append(change.Events, caption.Events...)
		}
	}
	if e.change(change, nil) {
		e.pump()
	}
}

// askSlot asks the server for a place, from the goroutine of an upload.
func (e *Engine) askSlot(ctx context.Context, r files.Request) (files.Slot, error) {
	type answer struct {
		slot files.Slot
		err  error
	}
	got := make(chan answer, 1)
	e.post(func() {
		e.uploadService(func(service jid.JID, err error) {
			if err != nil {
				got <- answer{err: err}
				return
			}
			e.ask(conn.Request{To: service, Type: stanza.Get, Payload: r.Append(nil)}, func(s *conn.Stanza, err error) {
				var a answer
				if a.err = stanzaError(s, err); a.err == nil {
					a.slot, a.err = files.ReadSlot(s.Elem.First(), e.Files.Policy())
				}
				got <- a
			})
		})
	})
	select {
	case a := <-got:
		return a.slot, a.err
	case <-ctx.Done():
		return files.Slot{}, ctx.Err()
	}
}

// uploadService finds the server's place for files. XEP-0363 §3
func (e *Engine) uploadService(then func(jid.JID, error)) {
	e.service(func(s *conn.Stanza) bool { _, ok := files.ReadService(s.Elem.First()); return ok }, then)
}

// job is the context of work that Cancel can end.
func (e *Engine) job(ref uint64) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(e.ctx)
	if ref != 0 {
		e.jobs[ref] = cancel
	}
	return ctx, cancel
}

func (e *Engine) progress(message string) files.Progress {
	return func(done, total int64) {
		e.post(func() { e.tell(&port.Progress{Message: message, Done: done, Total: total}) })
	}
}

// fetchFile brings a message's file here.
func (e *Engine) fetchFile(c *port.Fetch) {
	f, ok, err := e.lines.FileOf(c.Message)
	switch {
	case err != nil:
		e.breakDown(err)
		return
	case !ok:
		e.fail(c, port.Failf(port.NoSuchMessage, "there is no such file"))
		return
	case e.Files == nil:
		e.fail(c, port.Failf(port.BadCommand, "files cannot be fetched here"))
		return
	case e.loading[c.Message] != nil:
		e.fail(c, port.Failf(port.BadCommand, "it is being fetched already"))
		return
	}
	d, err := e.download(c.Message, f)
	if err != nil {
		e.fail(c, transferFailure(err))
		return
	}
	d = e.began(d)
	d.Target = c.Path
	f.State = "loading"
	change, err := e.lines.SetFile(c.Message, f)
	if !e.change(change, err) {
		return
	}
	e.load(c, d, f)
}

// mostDownload bounds what is fetched, in bytes.
const mostDownload = 4 << 30

// download says where a file lies and how it is read.
func (e *Engine) download(id string, f timeline.File) (files.Download, error) {
	d := files.Download{ID: id, Name: files.CleanName(f.Name), Type: f.Type, Size: f.Size, Most: mostDownload}
	if len(f.Hash) > 0 {
		d.Sums = []files.Sum{{Algo: "sha-256", Value: f.Hash}}
	}
	if link, ok := files.ReadLink(linkTo(f), e.Files.Policy()); ok {
		from := files.FromLink(id, link)
		if from.Most = mostDownload; f.Cipher != "" {
			from.Name, from.Type, from.Sums = d.Name, d.Type, d.Sums
		}
		return from, nil
	}
	if err := e.Files.Policy().Allows(f.URL); err != nil {
		return d, err
	}
	d.Source = files.Source{URL: f.URL, Cipher: files.Cipher(f.Cipher), Key: f.Key, IV: f.IV}
	return d, nil
}

// began is the download that a former attempt has left, if there is one.
func (e *Engine) began(d files.Download) files.Download {
	left, err := files.Downloads(e.Store)
	if err != nil {
		return d
	}
	for _, l := range left {
		if l.ID == d.ID && l.Source.URL == d.Source.URL {
			return l
		}
	}
	return d
}

// load fetches beside the engine's own work.
func (e *Engine) load(c *port.Fetch, d files.Download, f timeline.File) {
	ctx, cancel := e.job(c.Ref.Ref)
	e.loading[c.Message] = cancel
	where := func() string { return "" }
	sink := func() (files.Sink, error) {
		s, w, err := e.Files.Save(d.Target, d.Name)
		where = w
		return s, err
	}
	remember := func(d files.Download) { e.post(func() { e.keepDownload(d) }) }
	tell := e.progress(c.Message)
	go func() {
		err := e.transfers().Download(ctx, d, files.Fetch{Part: e.Files.Part(d.ID), Sink: sink, Note: remember, Tell: tell})
		e.post(func() {
			cancel()
			delete(e.loading, c.Message)
			delete(e.jobs, c.Ref.Ref)
			f.State, f.Path = "here", where()
			if err != nil {
				f.State, f.Path = "remote", ""
			}
			e.loaded(c, f, err)
		})
	}()
}

func (e *Engine) keepDownload(d files.Download) {
	var b keep.Batch
	if files.PutDownload(&b, d) == nil {
		e.keepBatch(&b)
	}
}

func (e *Engine) loaded(c *port.Fetch, f timeline.File, err error) {
	change, lineErr := e.lines.SetFile(c.Message, f)
	if composeFailure(lineErr) != nil { // it was taken back meanwhile
		change, lineErr = timeline.Change{Files: []string{f.Path}}, nil
		err = &files.Failure{Kind: files.Gone, Text: "the message was taken back"}
	}
	if change.Batch == nil {
		change.Batch = &keep.Batch{}
	}
	files.Drop(change.Batch, c.Message)
	if !e.change(change, lineErr) {
		return
	}
	if err != nil {
		e.fail(c, transferFailure(err))
		return
	}
	e.done(c, port.Done{Message: c.Message, Chat: c.Chat})
}

// transferFailure says in the port's words why a file did not go or come.
func transferFailure(err error) *port.Failure {
	var f *files.Failure
	switch {
	case errors.Is(err, context.Canceled):
		return port.Failf(port.Canceled, "it was cancelled")
	case !errors.As(err, &f):
		return port.Failf(port.Unreachable, "%s", words(err))
	}
	code := port.Refused
	switch f.Kind {
	case files.Unreachable:
		code = port.Unreachable
	case files.TooLarge, files.Full:
		code = port.TooLarge
	case files.Gone, files.Changed, files.Local:
		code = port.Missing
	case files.Tampered, files.Insecure, files.Unreadable:
		code = port.Tampered
	}
	return port.Failf(code, "%s", f.Text)
}
