package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheScreensTypesAreThoseOfThePort(t *testing.T) {
	want, err := generate("../../internal/client/port")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../web/src/port/types.ts")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("web/src/port/types.ts is out of date: go run ./scripts/porttypes >web/src/port/types.ts")
	}
}

func TestAnswersAreReadFromTheComments(t *testing.T) {
	text, err := generate("../../internal/client/port")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\thistory: Page;\n", "\tlistChats: ChatList;\n", "\tsend: Done;\n", "\tlinkShow: Code;\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q", line)
		}
	}
}
