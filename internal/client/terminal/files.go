package terminal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirsal/internal/client/port"
)

// newSendFile asks for a file to send to the open chat.
func newSendFile(m *model) sheet {
	if m.open == "" {
		m.say("no conversation is open")
		return nil
	}
	chat := m.open
	f := m.newForm(m.tf("Send a file to %s", m.name(chat)), "It is encrypted before it leaves this device.", "File", "A few words with it  (may be empty)")
	f.entries[0].complete = completePath
	f.submit = func(m *model, values []string) {
		path := unhomed(values[0])
		info, err := os.Stat(path)
		switch {
		case err != nil:
			f.problem, f.at = "There is no such file.", 0
			return
		case !info.Mode().IsRegular():
			f.problem, f.at = "That is no file.", 0
			return
		}
		var ref uint64
		ref = m.ask(&port.SendFile{Chat: chat, Path: path, Text: values[1]}, func(ev port.Event) {
			if failure := port.FailureOf(ev); failure != nil {
				m.fail(failure)
				return
			}
			m.files[ev.(*port.Done).Message] = ref
		})
		m.pop()
	}
	return f
}

// newSave asks where to save the file of the chosen message.
func newSave(m *model) sheet {
	msg := m.spoken()
	if msg == nil || msg.File == nil {
		m.say("there is no file in this line")
		return nil
	}
	f := m.newForm("Save "+oneLine(msg.File.Name), "Nothing that is there is replaced.", "File or folder")
	f.entries[0].complete = completePath
	f.submit = func(m *model, values []string) {
		m.pop()
		m.fetch(unhomed(values[0]))
	}
	return f
}

// fetch brings the chosen message's file here.
func (m *model) fetch(path string) {
	msg := m.spoken()
	if msg == nil {
		return
	}
	if msg.File == nil {
		m.say("there is no file in this line")
		return
	}
	if msg.File.State == "here" && path == "" {
		m.say("it is here: %s", msg.File.Path)
		return
	}
	chat, id := msg.Chat, msg.ID
	m.files[id] = m.ask(&port.Fetch{Chat: chat, Message: id, Path: path}, func(ev port.Event) {
		delete(m.files, id)
		if f := port.FailureOf(ev); f != nil {
			m.fail(f)
			return
		}
		if now := m.s.talk(chat).message(id); now != nil && now.File != nil && now.File.Path != "" {
			m.say("saved as %s", now.File.Path)
		}
	})
}

// cancel stops a file on its way.
func (m *model) cancel() {
	ref, ok := m.files[m.chosen]
	if !ok {
		m.say("nothing is on its way here")
		return
	}
	m.try(&port.Cancel{Command: ref}, "")
}

// unhomed writes a path without the sign for one's own folder.
func unhomed(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// completePath completes a path to what all files have in common that begin with it, and
// shows some of them.
func completePath(text string) (string, []string) {
	folder, begin := filepath.Split(text)
	look := unhomed(folder)
	if look == "" {
		look = "."
	}
	entries, err := os.ReadDir(look)
	if err != nil {
		return text, nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(begin, ".") {
			continue
		}
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	more, choices := completeName(begin, names)
	return folder + more, choices
}
