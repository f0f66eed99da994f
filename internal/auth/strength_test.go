package auth

import (
	"errors"
	"testing"

	"mirsal/internal/store/memory"
)

// bad are passwords that nobody may choose for carol.
var bad = map[string]error{
	"x": ErrShort, "1234567": ErrShort, "siebenß": ErrShort, "ßßßßßßß": ErrShort,
	"password1": ErrEasy, "carol123": ErrEasy, "Carol123": ErrEasy, "aaaaaaaaaa": ErrEasy, "12345678": ErrEasy, "QWERTYUIOP": ErrEasy,
}

func TestNobodyChoosesAShortOrEasyPassword(t *testing.T) {
	a := open(t, memory.New())
	add(t, a, "dave", "one good password")
	in, err := a.Invite(t.Context(), Offer{})
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range bad {
		if _, err := a.SignUp(t.Context(), "Carol", p); !errors.Is(err, want) {
			t.Errorf("sign up with %q: %v", p, err)
		}
		if _, err := a.Redeem(t.Context(), in.Token, "Carol@example.org", p); !errors.Is(err, want) {
			t.Errorf("redeem with %q: %v", p, err)
		}
		if want == ErrShort {
			if err := a.ChangePassword(t.Context(), "dave", p, Changer{}); !errors.Is(err, want) {
				t.Errorf("change to %q: %v", p, err)
			}
		}
	}
	if err := a.ChangePassword(t.Context(), "dave", "dave1234", Changer{}); err != nil {
		t.Error("half of it is not the name:", err)
	}
	if err := a.ChangePassword(t.Context(), "dave", "davedave", Changer{}); err != nil {
		t.Error(err)
	}
	if err := a.ChangePassword(t.Context(), "dave", "password1", Changer{}); !errors.Is(err, ErrEasy) {
		t.Error(err)
	}
	if _, err := a.Redeem(t.Context(), in.Token, "carol", "achtßößö"); err != nil {
		t.Error("eight characters are enough:", err)
	}
}

func TestTheOperatorSetsAnyPassword(t *testing.T) {
	a := open(t, memory.New())
	if _, err := a.Add(t.Context(), "carol", "x"); err != nil {
		t.Error(err)
	}
	if err := a.Passwd(t.Context(), "carol", "y"); err != nil {
		t.Error(err)
	}
}
