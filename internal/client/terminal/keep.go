package terminal

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// kept is what stays when the screen is left: in a file of one's own, beside the history
// that lies there anyway.
type kept struct {
	Drafts map[string]draft `json:"drafts,omitempty"`
	Bell   bool             `json:"bell,omitempty"`
	Bidi   string           `json:"bidi,omitempty"`
}

// restore reads it. A file that is no such thing is begun anew.
func (m *model) restore() error {
	if m.o.Keep == "" {
		return nil
	}
	raw, err := os.ReadFile(m.o.Keep)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var k kept
	if json.Unmarshal(raw, &k) != nil {
		return nil
	}
	if k.Drafts != nil {
		m.drafts = k.Drafts
	}
	m.bell = m.bell || k.Bell
	if m.o.Bidi == "" || m.o.Bidi == "auto" {
		m.o.Bidi = k.Bidi
		m.pen.reads = reads(k.Bidi, m.o.Env)
		m.box.pen = m.pen
	}
	return nil
}

// keep writes it, whole or not at all.
func (m *model) keep() error {
	if m.o.Keep == "" {
		return nil
	}
	m.leave()
	raw, err := json.Marshal(kept{Drafts: m.drafts, Bell: m.bell, Bidi: m.o.Bidi})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.o.Keep), 0o700); err != nil {
		return err
	}
	next := m.o.Keep + ".new"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(next, m.o.Keep)
}

// env is a variable of an environment.
func env(list []string, name string) string {
	for _, e := range list {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// reads tells whether it is we who put right-to-left into order. "auto" does where the
// terminal says that it is one of those that do not.
func reads(bidi string, environ []string) bool {
	switch bidi {
	case "on":
		return true
	case "off":
		return false
	}
	for _, name := range []string{"KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID", "GHOSTTY_RESOURCES_DIR", "WT_SESSION", "XTERM_VERSION"} {
		if env(environ, name) != "" {
			return true
		}
	}
	switch env(environ, "TERM_PROGRAM") {
	case "vscode", "ghostty", "WezTerm":
		return true
	}
	term := env(environ, "TERM")
	for _, name := range []string{"linux", "foot", "alacritty", "xterm-kitty", "xterm-ghostty"} {
		if strings.HasPrefix(term, name) {
			return true
		}
	}
	return false
}

// darkByEnv guesses the background until the terminal tells it: COLORFGBG is what some
// terminals set, "15;0" being white on black.
func darkByEnv(environ []string) bool {
	colors := env(environ, "COLORFGBG")
	back := colors[strings.LastIndex(colors, ";")+1:]
	return back != "7" && back != "15"
}

// language is the one of the languages that a person's environment asks for.
func language(environ []string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(environ, name); v != "" {
			for _, l := range []string{"ar", "uk"} {
				if strings.HasPrefix(v, l) {
					return l
				}
			}
			return "en"
		}
	}
	return "en"
}
