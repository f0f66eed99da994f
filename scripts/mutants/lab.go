package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience bounds one test run; a mutant that hangs its test was noticed.
const patience = 5 * time.Minute

// A lab is a copy of the tree in which one defence at a time is missing.
type lab struct {
	dir   string
	sound map[string]error // test command -> what is wrong with it on the sound tree
}

// try returns nil when the mutant applies, compiles and its test fails.
func (l *lab) try(m mutant) (err error) {
	if err := l.check(m); err != nil {
		return err
	}
	restore, err := l.apply(m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	what := "./..."
	if m.file != "" {
		what = "./" + filepath.Dir(m.file) // its importers see no other interface
	}
	if out, err := l.command(patience, "go", "build", what); err != nil {
		return fmt.Errorf("does not compile:\n%s", tail(out))
	}
	// a test that runs bin/mirsal does not change with what is in that, and its result would be remembered
	out, err := l.command(patience, append([]string{"go", "test", "-count=1"}, m.test[2:]...)...)
	switch {
	case err == nil:
		return errors.New("survived: its test passes without the defence")
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return fmt.Errorf("its test does not compile:\n%s", tail(out))
	}
	return nil
}

// check runs the test on the sound tree, once for each command: a test that
// fails, is skipped or runs nothing there proves nothing.
func (l *lab) check(m mutant) error {
	key := strings.Join(m.test, " ")
	if err, known := l.sound[key]; known {
		return err
	}
	args := append([]string{"go", "test", "-v", "-count=1"}, m.test[2:]...)
	out, err := l.command(patience, args...)
	switch {
	case err != nil:
		err = fmt.Errorf("its test fails on the sound tree:\n%s", tail(out))
	case !bytes.Contains(out, []byte("--- PASS")):
		err = fmt.Errorf("%q passes without running a test", key)
	case bytes.Contains(out, []byte("--- SKIP")):
		err = fmt.Errorf("%q skips a test here:\n%s", key, tail(out))
	}
	l.sound[key] = err
	return err
}

// apply takes the defence out; restore puts it back.
func (l *lab) apply(m mutant) (restore func() error, err error) {
	if m.patch != "" {
		patch := filepath.Join(l.dir, "e2e/mutants", m.patch)
		if out, err := l.command(patience, "git", "apply", patch); err != nil {
			return nil, fmt.Errorf("no longer applies:\n%s", tail(out))
		}
		return func() error {
			_, err := l.command(patience, "git", "apply", "-R", patch)
			return err
		}, nil
	}
	path := filepath.Join(l.dir, m.file)
	sound, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(sound), m.old); n != 1 {
		return nil, fmt.Errorf("no longer applies: %q is %d times in %s", m.old, n, m.file)
	}
	mutated := strings.Replace(string(sound), m.old, m.with, 1)
	return func() error { return os.WriteFile(path, sound, 0o644) }, os.WriteFile(path, []byte(mutated), 0o644)
}

// command runs a program in the lab, in a process group of its own that is
// ended with it.
func (l *lab) command(limit time.Duration, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "MIRSAL_BIN=", "GIT_CEILING_DIRECTORIES="+filepath.Dir(l.dir))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd.CombinedOutput()
}

// copyTree copies what git knows or would add, as it is in the working tree.
func copyTree(from, to string) error {
	out, err := exec.Command("git", "-C", from, "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copyFile follows links, so that the copy depends on nothing outside it.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// tail keeps the end of an output, indented below the verdict.
func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	return "\t" + strings.Join(lines, "\n\t")
}
