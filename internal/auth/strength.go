package auth

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// MinPassword is how short a password can be that people choose, in characters.
const MinPassword = 8

// What is wrong with a password that somebody chose; the texts are for people.
var (
	ErrShort = errors.New("the password needs at least 8 characters")
	ErrEasy  = errors.New("this password would be guessed soon; choose another one")
)

// CheckPassword is the rule for passwords that people choose, whatever the way:
// ErrShort or ErrEasy. The operator may set others.
func CheckPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return ErrShort
	case easy(password, name):
		return ErrEasy
	}
	return nil
}

// rows are what is typed first by people who want no password, in lower case.
const rows = "01234567890 09876543210 qwertyuiop asdfghjkl password1234567890 passw0rd abcdefghijklmnop iloveyou123"

// easy tells a password that is tried first: the name, one character, a row of keys.
func easy(password, name string) bool {
	p := strings.ToLower(password)
	first, _ := utf8.DecodeRuneInString(p)
	if strings.Trim(p, string(first)) == "" || len(name) > 2 && strings.Contains(p, strings.ToLower(name)) && len(p) < len(name)+4 {
		return true
	}
	for row := range strings.FieldsSeq(rows) {
		if strings.Contains(row, p) {
			return true
		}
	}
	return false
}
