package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

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
