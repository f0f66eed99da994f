//go:build !js && !windows

package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"mirsal/internal/client/keep"
)

// The other process of the kill test: this test program, told by its
// environment which profile to write to.
const writerEnv = "KEEP_TEST_WRITER"

// width is how many keys a batch of the writer has.
const width = 40

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		fmt.Fprintln(os.Stderr, writeForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver applies batches, each of which writes the same number to all keys,
// and says the number when Apply has returned.
func writeForEver(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	n, err := latest(s)
	if err != nil {
		return err
	}
	for n++; ; n++ {
		var b keep.Batch
		for i := range width {
			b.Put("t", fmt.Sprintf("%02d", i), fmt.Appendf(nil, "%d %0200d", n, n))
		}
		b.Put("log", fmt.Sprintf("%09d", n), []byte{})
		if err := s.Apply(&b); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func latest(s *Store) (n int, err error) {
	v, err := s.Get("t", "00")
	if v != nil && err == nil {
		_, err = fmt.Sscan(string(v), &n)
	}
	return n, err
}

func TestKillingTheWriterLosesNothingAppliedAndTearsNoBatch(t *testing.T) {
	dir := t.TempDir()
	for round := range 6 {
		told := writeAndKill(t, dir, 3+round*23)
		s, err := Open(dir)
		if err != nil {
			t.Fatalf("after the kill: %v", err)
		}
		whole(t, s, told)
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeAndKill kills a writer after it has told of so many batches, and returns
// the last number that it told.
func writeAndKill(t *testing.T, dir string, batches int) (told int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ { // also what it told between the kill and its end
		if told, err = strconv.Atoi(lines.Text()); err != nil {
			t.Error(err)
		}
		if i == batches {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if told == 0 {
		t.Fatal("the writer wrote nothing")
	}
	return told
}

// whole checks that all keys are of one batch, which is not older than told, and
// that no batch before it is missing.
func whole(t *testing.T, s *Store, told int) {
	t.Helper()
	n, err := latest(s)
	if err != nil || n < told {
		t.Fatalf("%d was told, %d is there (%v)", told, n, err)
	}
	want := fmt.Sprintf("%d %0200d", n, n)
	count := 0
	err = s.Scan("t", keep.Range{}, func(k string, v []byte) bool {
		if string(v) != want {
			t.Errorf("%s is of another batch: %.10q, want %d", k, v, n)
		}
		count++
		return true
	})
	if err != nil || count != width {
		t.Errorf("%d keys, want %d (%v)", count, width, err)
	}
	batches := 0
	if err := s.Scan("log", keep.Range{}, func(string, []byte) bool { batches++; return true }); err != nil || batches != n {
		t.Errorf("%d batches left a mark, want %d (%v)", batches, n, err)
	}
}

func TestAProfileOfAKilledProgramIsFree(t *testing.T) {
	dir := t.TempDir()
	writeAndKill(t, dir, 1)
	open(t, dir)
}

func TestAnotherProcessCannotOpenTheProfile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || string(out) != "profile "+dir+": "+keep.ErrInUse.Error()+"\n" {
		t.Errorf("%q, %v", out, err)
	}
	write(t, s, "k", "v")
}
