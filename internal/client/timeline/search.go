package timeline

import (
	"bytes"
	"slices"
	"strings"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/port"
)

// mostWords and mostFound bound a search.
const (
	mostWords = 16
	mostFound = 200
)

// Search looks for words in a chat or ("") all, newest first, at most limit. A line is
// found when it has all of them, as parts of words too; case, accents and the ways to
// write an Arabic letter make no difference. What was taken back is not there to be found.
func (b *Book) Search(query, chat string, limit int) ([]port.Message, error) {
	words := strings.Fields(fold(cutText(query, 1024)))
	if len(words) == 0 {
		return nil, nil
	}
	words = words[:min(len(words), mostWords)]
	limit = max(1, min(limit, mostFound))
	var found []*record
	for name := range b.list {
		if chat != "" && name != chat {
			continue
		}
		more, err := b.searchChat(name, words, limit)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortStableFunc(found, func(a, b *record) int {
		if a.chat == b.chat && a.at != b.at {
			return strings.Compare(b.key(), a.key())
		}
		return b.when().Compare(a.when())
	})
	return b.views(found[:min(len(found), limit)])
}

// searchChat looks from the newest line back until there are enough.
func (b *Book) searchChat(name string, words []string, limit int) (found []*record, err error) {
	var decoding error
	err = b.kept.scan(tableRows, keep.Range{Prefix: name + "\x00", Reverse: true}, func(key string, v []byte) bool {
		flags, text, _, bad := head(v)
		if bad != nil || flags&isFound == 0 || flags&isHidden != 0 || !matches(text, words) {
			return true
		}
		r, bad := decode(key, v)
		if bad != nil {
			decoding = bad
			return false
		}
		found = append(found, r)
		return len(found) < limit
	})
	if err == nil {
		err = decoding
	}
	return found, err
}

// matches tells whether a text has all words, which are folded.
func matches(text []byte, words []string) bool {
	folded := []byte(nil)
	if asciiBytes(text) {
		folded = bytes.ToLower(text)
	} else {
		folded = []byte(fold(string(text)))
	}
	for _, w := range words {
		if !bytes.Contains(folded, []byte(w)) {
			return false
		}
	}
	return true
}

func asciiBytes(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func (b *Book) views(rows []*record) ([]port.Message, error) {
	out := make([]port.Message, 0, len(rows))
	for _, r := range rows {
		m, err := b.view(r)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
