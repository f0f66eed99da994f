package stanza

import "testing"

// ruleFor is the rule for a message of a type with some children.
func ruleFor(t *testing.T, kind, content string) Rule {
	t.Helper()
	s := mustMake(t, "<message type='"+kind+"'>"+content+"</message>", nil)
	return RuleOf(&s.Head)
}

// Every pair of facts, with and without each hint.
func TestWhatWaitsForSomebodyIsInTheArchiveAndNeverHeldBack(t *testing.T) {
	asked := []Facts{0, NoStore, NoPermanent, NoCopy, Store, CarbonPrivate, Store | NoStore}
	for a := Facts(1); a <= OtherChild; a <<= 1 {
		for b := Facts(1); b <= OtherChild; b <<= 1 {
			for _, hint := range asked {
				for _, k := range []string{Chat, Normal, Groupchat, Headline, Error} {
					r := RuleOf(&Head{Kind: Message, Type: k, Facts: a | b | hint})
					if r.Kind == "" || r.Offline && !r.Archive || r.Waits && r.Archive || r.Waits && r.Push != NoPush {
						t.Fatalf("%s with %b: %+v", k, a|b|hint, r)
					}
				}
			}
		}
	}
}
