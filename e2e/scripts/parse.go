package scripts

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Script is one conversation, as read.
type Script struct {
	File     string
	Title    string
	About    string
	Settings []string // key=value
	Accounts []string
	Contacts [][2]string // mutually subscribed before the first step
	Ignored  []string    // names of stanzas that may arrive unannounced
	Steps    []Step
}

// Step is one line, with the XML that stands below it.
type Step struct {
	Line int
	Text string // without the colon
	XML  string
}

// Read reads a script file.
func Read(file string) (*Script, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &Script{File: file}
	inHead := true
	for i, line := range strings.Split(string(data), "\n") {
		err := s.line(line, i+1, &inHead)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
	}
	if s.Title == "" || len(s.Steps) == 0 {
		return nil, fmt.Errorf("%s: a script has a title and steps", file)
	}
	return s, nil
}

func (s *Script) line(line string, number int, inHead *bool) error {
	text := strings.TrimSpace(line)
	switch {
	case text == "" || strings.HasPrefix(text, "#"):
		return nil
	case line[0] == ' ' || line[0] == '\t':
		return s.addXML(line)
	case *inHead && strings.HasPrefix(text, "---"):
		*inHead = false
		return nil
	case *inHead:
		return s.header(text)
	}
	step := Step{Line: number, Text: text}
	if before, xml, ok := strings.Cut(text, ": <"); ok {
		step.Text, step.XML = before, "<"+xml
	}
	step.Text = strings.TrimSuffix(step.Text, ":")
	s.Steps = append(s.Steps, step)
	return nil
}

func (s *Script) addXML(line string) error {
	if len(s.Steps) == 0 {
		return fmt.Errorf("indented lines belong to the step above, but there is none")
	}
	s.Steps[len(s.Steps)-1].XML += line + "\n"
	return nil
}

var pair = regexp.MustCompile(`^(\w+) and (\w+)$`)

func (s *Script) header(text string) error {
	key, value, ok := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	if !ok {
		return fmt.Errorf("the head of a script is made of lines like 'Title: …', and ends with a line of dashes")
	}
	switch key {
	case "Title":
		s.Title = value
	case "About":
		s.About += value + "\n"
	case "Settings":
		s.Settings = append(s.Settings, strings.Fields(value)...)
	case "Accounts":
		s.Accounts = append(s.Accounts, list(value)...)
	case "Ignore":
		s.Ignored = append(s.Ignored, list(value)...)
	case "Contacts":
		for _, c := range list(value) {
			m := pair.FindStringSubmatch(c)
			if m == nil {
				return fmt.Errorf("contacts are written 'alice and bob'")
			}
			s.Contacts = append(s.Contacts, [2]string{m[1], m[2]})
		}
	default:
		return fmt.Errorf("unknown heading %q", key)
	}
	return nil
}

func list(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, ",") {
		all = append(all, strings.TrimSpace(part))
	}
	return all
}
