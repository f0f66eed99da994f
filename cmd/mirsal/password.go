package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"mirsal/internal/auth"
	"mirsal/internal/xmpp/sasl"
)

// password reads a new password: the first line of standard input, or typed twice
// at a terminal that does not show it.
func password(fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, sasl.MaxPassword+3)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return checked(strings.TrimRight(line, "\r\n"))
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", usage("standard input is no terminal: use --password-stdin")
	}
	one, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	two, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if one != two {
		return "", errors.New("the two are not the same")
	}
	return checked(one)
}

// newPassword reads the password of an account that arg names, if it can be a name.
func newPassword(arg string, fromStdin bool) (string, error) {
	if _, _, err := parseOwn(arg); err != nil {
		return "", err
	}
	return password(fromStdin)
}

// passwords counts those of an import that people could not choose, while it is
// written to it.
type passwords struct {
	line  []byte
	short int
}

// Write takes a part of the list. A line that goes on for too long is refused by who
// reads it: no more of it is kept.
func (p *passwords) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if len(p.line) < bufio.MaxScanTokenSize {
			p.line = append(p.line, line...)
		}
		if !whole {
			return n, nil
		}
		p.end()
		b = rest
	}
}

func (p *passwords) end() {
	name, secret, ok := strings.Cut(strings.TrimSuffix(string(p.line), "\r"), "\t")
	name, _, _ = strings.Cut(name, "@")
	if ok && !strings.HasPrefix(secret, "scram-sha-") && auth.CheckPassword(name, secret) != nil {
		p.short++
	}
	p.line = p.line[:0]
}

// remark says, at the end of the list, how many there were.
func (p *passwords) remark(w io.Writer) {
	if p.end(); p.short > 0 {
		fmt.Fprintf(w, "mirsal: %d of the passwords are short or easily guessed\n", p.short)
	}
}

func ask(prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(b), nil
}

// checked refuses a password before anything is opened for it.
func checked(p string) (string, error) {
	_, err := sasl.Password(p)
	return p, err
}
