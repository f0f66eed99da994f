package rsm

import (
	"testing"

	"mirsal/internal/xmpp/xtok"
)

func read(t *testing.T, content string) (Request, error) {
	t.Helper()
	e, err := xtok.Parse([]byte("<set xmlns='"+NS+"'>"+content+"</set>"), xtok.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return Read(e)
}

func TestRequestsAreRead(t *testing.T) {
	for content, want := range map[string]Request{
		"":                               {Max: -1},
		"<max>10</max>":                  {Max: 10},
		"<max>0</max>":                   {Max: 0},
		"<before/>":                      {Max: -1, HasBefore: true},
		"<max>5</max><before>a</before>": {Max: 5, Before: "a", HasBefore: true},
		"<after>&lt;b</after>":           {Max: -1, After: "<b", HasAfter: true},
		"<max>1</max><other/>":           {Max: 1},
	} {
		if got, err := read(t, content); err != nil || got != want {
			t.Errorf("%s was read as %+v, %v", content, got, err)
		}
	}
	if got, err := Read(xtok.Elem{}); err != nil || got.Max != -1 {
		t.Errorf("no set was read as %+v, %v", got, err)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, content := range []string{"<max>-1</max>", "<max>2147483648</max>", "<max/>", "<max>ten</max>", "<max>1 </max>", "<index>0</index>"} {
		if got, err := read(t, content); err == nil {
			t.Errorf("%s was read as %+v", content, got)
		}
	}
}

func TestAPageIsBounded(t *testing.T) {
	for max, want := range map[int]int{-1: 50, 0: 0, 10: 10, 50: 50, 51: 50, 1 << 30: 50} {
		if got := (Request{Max: max}).Limit(50); got != want {
			t.Errorf("max %d gives %d, want %d", max, got, want)
		}
	}
}

func TestResponsesAreWritten(t *testing.T) {
	for want, r := range map[string]Response{
		"<set xmlns='http://jabber.org/protocol/rsm'><first>a&amp;</first><last>b</last><count>2</count></set>": {"a&", "b", 2},
		"<set xmlns='http://jabber.org/protocol/rsm'><first>a</first><last>b</last></set>":                      {"a", "b", -1},
		"<set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set>":                                    {"", "", 0},
	} {
		if got := string(r.Append(nil)); got != want {
			t.Errorf("%+v was written as %s", r, got)
		}
	}
}
