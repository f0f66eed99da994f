// Command mutants shows that the tests of our defences can fail. It takes each
// mutant of e2e/mutants/list.txt in turn, on a copy of the tree: takes the
// defence out, checks that the program still compiles, and that the named test
// then fails. It is no search for mutants: every one is named by a person, with
// the test that must catch it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

const listFile = "e2e/mutants/list.txt"

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutants: ")
	only := flag.String("only", "", "run the mutants whose name contains this")
	flag.Parse()
	text, err := os.ReadFile(listFile)
	if err != nil {
		log.Fatal(err)
	}
	list, err := parseList(string(text))
	if err != nil {
		log.Fatal(err)
	}
	passed, failed, err := run(list, *only)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

// run tries the mutants whose name contains only and prints a line for each.
func run(list []mutant, only string) (passed, failed int, err error) {
	dir, err := os.MkdirTemp("", "mirsal-mutants-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := copyTree(".", dir); err != nil {
		return 0, 0, err
	}
	l := lab{dir: dir, sound: map[string]error{}}
	for _, m := range list {
		if !strings.Contains(m.name, only) {
			continue
		}
		began := time.Now()
		verdict, err := "caught", l.try(m)
		if err != nil {
			verdict = "FAILED: " + err.Error()
			failed++
		} else {
			passed++
		}
		fmt.Printf("%-36s %5.1fs  %s\n", m.name, time.Since(began).Seconds(), verdict)
	}
	return passed, failed, nil
}
